import type { Context } from 'hono'
import type { BaseEnv } from './env.ts'
import { stateOf } from './request-state.ts'

/** Records that a route, or the runtime itself, creates the response. */
export function markRouted(c: Context<BaseEnv>): void {
  stateOf(c).routed = true
}

/**
 * Refuses a response that a middleware has created: no route declares who may get it. A redirect and the response to a
 * preflight pass, because they carry no data.
 *
 * @throws {Error} naming the request, and what to write instead
 */
export function refuseUnrouted(c: Context<BaseEnv>): void {
  if (stateOf(c).routed) return
  const { status, body } = c.res
  const redirects = status >= 300 && status < 400
  if (body === null && (redirects || c.req.method === 'OPTIONS')) return
  void body?.cancel().catch(() => {})
  throw new Error(
    `A middleware responded to ${c.req.method} ${c.req.path} with ${status}, bypassing the routes and their security. ` +
      'A middleware may throw a Problem, redirect, or call next(). To serve content, define a route by handlePlain().',
  )
}
