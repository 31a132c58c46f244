import type { MiddlewareHandler } from 'hono'
import type { CallerEnv } from '../http/env.ts'
import type { ProblemDefinition } from '../kernel/problem.ts'
import type { Operation, PlainOperation } from './route.ts'
import type { RouteContext } from './route-context.ts'

/**
 * A middleware that runs when the caller is known, before the body is read and a transaction opens: a rate limit, a lock
 * on a tenant. It throws a `Problem`, redirects, or calls `next()` and changes the response. If it sends a body itself, the
 * response is a 500: only routes send bodies.
 */
export interface CallerMiddleware {
  /** The problems that it throws. The contract lists them for every route that it runs before. */
  readonly problems?: readonly ProblemDefinition[]
  readonly run: MiddlewareHandler<CallerEnv>
}

/** Creates a middleware of a service or a feature, once, at the start. */
export type CreateMiddleware<Context = RouteContext> = (context: Context) => CallerMiddleware

/** Adds the problems of the middleware to those of the route. A plain route lists no problems. */
export function withProblems<O extends Operation | PlainOperation>(
  operation: O,
  middleware: readonly CallerMiddleware[],
): O {
  const problems = middleware.flatMap(({ problems = [] }) => problems)
  if (operation.kind === 'plain' || problems.length === 0) return operation
  const { route } = operation
  return {
    ...operation,
    route: { ...route, problems: [...new Set([...(route.problems ?? []), ...problems])] },
  }
}
