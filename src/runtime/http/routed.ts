import type { Context } from 'hono'
import type { BaseEnv } from './env.ts'
import { stateOf } from './request-state.ts'

/** Notes that a route, or the runtime itself, makes the response. */
export function markRouted(c: Context<BaseEnv>): void {
  stateOf(c).routed = true
}

/**
 * Refuses a response that a middleware has made by itself: no route states who may have it. A redirect and the
 * response to a preflight pass, since they carry nothing.
 *
 * @throws {Error} naming the request and what to write instead
 */
export function refuseUnrouted(c: Context<BaseEnv>): void {
  if (stateOf(c).routed) return
  const { status, body } = c.res
  const redirects = status >= 300 && status < 400
  if (body === null && (redirects || c.req.method === 'OPTIONS')) return
  void body?.cancel().catch(() => {})
  throw new Error(
    `A middleware answered ${c.req.method} ${c.req.path} with ${status}, past the routes and the security that ` +
      'they state. Let it throw a Problem or call next(); what it serves is a route: handlePlain().',
  )
}
