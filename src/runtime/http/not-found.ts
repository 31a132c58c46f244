import type { NotFoundHandler } from 'hono'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { allowHeader, type Methods, methodNotAllowed } from './methods.ts'
import type { ProblemResponder } from './problem-responder.ts'

/**
 * Responds to requests that match no route. An unknown path gets a 404. On a known path, OPTIONS gets a 204 with `Allow`,
 * and any other method that no route has gets a 405 with `Allow`. `c.notFound()` of a route or a middleware is a 404.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6
 * @example
 * app.notFound(notFound(methods, respond))
 */
export function notFound(methods: Methods, respond: ProblemResponder): NotFoundHandler<BaseEnv> {
  return function notFound(c) {
    const { path, method } = c.req
    const allowed = methods.allowedAt(path)
    if (allowed.length > 0 && method === 'OPTIONS')
      return new Response(null, { status: 204, headers: { Allow: allowHeader(allowed) } })
    c.res = respond(problemOf(path, method, allowed), c) // set, because Hono ignores the returned response after `respond` has used `c.res`
    return c.res
  }
}

function problemOf(path: string, method: string, allowed: readonly string[]): Problem {
  if (allowed.length === 0) return new Problem(problems.NOT_FOUND, { detail: `There is no route ${path}.` })
  // a route has this method: its handler, or a middleware before it, has called c.notFound()
  return allowed.includes(method) ? new Problem(problems.NOT_FOUND) : methodNotAllowed(path, allowed)
}
