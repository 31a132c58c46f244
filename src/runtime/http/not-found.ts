import type { NotFoundHandler } from 'hono'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { allowHeader, type Methods, methodNotAllowed } from './methods.ts'
import type { ProblemResponder } from './problem-responder.ts'
import { stateOf } from './request-state.ts'

/**
 * Responds to requests that match no route. An unknown path gets a 404. On a known path, OPTIONS gets a 204 with `Allow`,
 * and any other method that no route has gets a 405 with `Allow`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6
 * @example
 * app.notFound(notFound(methods, respond))
 */
export function notFound(methods: Methods, respond: ProblemResponder): NotFoundHandler<BaseEnv> {
  return function notFound(c) {
    const allowed = stateOf(c).routed ? [] : methods.allowedAt(c.req.path) // a route may call c.notFound()
    const { path, method } = c.req
    const none = allowed.length === 0
    const problem = none
      ? new Problem(problems.NOT_FOUND, stateOf(c).routed ? {} : { detail: `There is no route ${path}.` })
      : methodNotAllowed(path, allowed)
    if (!none && method === 'OPTIONS')
      return new Response(null, { status: 204, headers: { Allow: allowHeader(allowed) } })
    c.res = respond(problem, c) // set, because Hono ignores the returned response after `respond` has used `c.res`
    return c.res
  }
}
