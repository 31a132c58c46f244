import type { MiddlewareHandler } from 'hono'
import type { AnyCaller } from '../auth/api-key.ts'
import type { BaseEnv } from '../http/env.ts'
import type { ProblemDefinition } from '../kernel/problem.ts'
import type { Operation, PlainOperation } from './route.ts'
import type { RouteContext } from './route-context.ts'

/** What a `CallerMiddleware` finds in `c.var`. On a public route, or without a token, there is no caller. */
export interface CallerEnv extends BaseEnv {
  Variables: BaseEnv['Variables'] & { readonly caller?: AnyCaller | undefined }
}

/**
 * A middleware that runs when the caller is known, before the body is read and a transaction opens: a rate limit, a lock
 * on a tenant. It throws a `Problem`, redirects, or calls `next()` and changes the response. It may not send a body of its
 * own: that is a 500. Only a route sends bodies.
 */
export interface CallerMiddleware {
  /** The problems that it throws. The contract lists them for every route that it runs before. */
  readonly problems?: readonly ProblemDefinition[]
  readonly run: MiddlewareHandler<CallerEnv>
}

/** Creates a middleware of a service or of a feature, once, at the start. */
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
