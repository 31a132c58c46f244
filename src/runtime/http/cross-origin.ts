import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { BaseEnv } from './env.ts'

/** The headers that pages of other origins may send, and those that they may read. */
export interface CrossOriginNames {
  readonly request: readonly string[]
  readonly response: readonly string[]
}

/**
 * CORS for these origins. It responds only to real preflights, which have `Access-Control-Request-Method`. Any other
 * OPTIONS request continues to the routes.
 *
 * @param origins `*`, or a list
 * @param names returns the names of the headers. It is called once, at the first request, when the routes are mounted
 * @example
 * app.use(crossOrigin(['https://a.example.com'], () => crossOriginNames(mounted)))
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
