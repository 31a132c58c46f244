import type { MiddlewareHandler } from 'hono'
import type { Caller } from '../auth/caller.ts'
import type { BaseEnv } from '../http/env.ts'
import type { ProblemDefinition } from '../kernel/problem.ts'
import type { Operation, PlainOperation } from './route.ts'
import type { RouteContext } from './route-context.ts'

/** What a `CallerMiddleware` finds in `c.var`: there is no caller where the route is public, or takes a token or none. */
export interface CallerEnv extends BaseEnv {
  Variables: BaseEnv['Variables'] & { readonly caller?: Caller | undefined }
}

/**
 * A middleware that runs when the caller is known, and before the body is read and a transaction opens: a rate limit, a
 * lock on a tenant. It throws a `Problem`, redirects, or calls `next()` and changes the response that comes back. A body
 * that it sends itself is a 500: that is for a route.
 */
export interface CallerMiddleware {
  /** The problems that it throws. The contract shows them on every route that it stands before. */
  readonly problems?: readonly ProblemDefinition[]
  readonly run: MiddlewareHandler<CallerEnv>
}

/** Creates a middleware of a service or of a feature, once, at the start. */
export type CreateMiddleware<Context = RouteContext> = (context: Context) => CallerMiddleware

/** The operation, with the problems of what stands before it as its own. A plain route has no contract that lists them. */
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
