import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { BaseEnv } from './env.ts'

/** The headers that a page elsewhere may send, and those that it may read. */
export interface CrossOriginNames {
  readonly request: readonly string[]
  readonly response: readonly string[]
}

/**
 * CORS for these origins. Only a real preflight (one with `Access-Control-Request-Method`) is answered here:
 * another OPTIONS goes on to the routes.
 *
 * @param origins `*`, or a list
 * @param names asked for once, at the first request: they are those of the routes, which are mounted later
 */
export function crossOrigin(
  origins: '*' | readonly string[],
  names: () => CrossOriginNames,
): MiddlewareHandler<BaseEnv> {
  let allow: MiddlewareHandler | undefined
  function makeAllow(): MiddlewareHandler {
    const { request, response } = names()
    const origin = origins === '*' ? '*' : [...origins]
    return cors({ origin, allowHeaders: [...request], exposeHeaders: [...response], maxAge: 600 })
  }
  return async function crossOrigin(c, next) {
    const preflight = c.req.method === 'OPTIONS' && c.req.header('access-control-request-method')
    if (c.req.method === 'OPTIONS' && !preflight) return next()
    allow ??= makeAllow()
    return allow(c, next)
  }
}
