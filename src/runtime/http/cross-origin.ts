import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { BaseEnv } from './env.ts'

/**
 * CORS for these origins. Only a real preflight (one with `Access-Control-Request-Method`) is answered here:
 * another OPTIONS goes on to the routes.
 *
 * @param origins `*`, or a list
 */
export function crossOrigin(origins: '*' | readonly string[]): MiddlewareHandler<BaseEnv> {
  const allow = cors({
    origin: origins === '*' ? '*' : [...origins],
    allowHeaders: [
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'traceparent',
    ],
    exposeHeaders: ['Location', 'ETag', 'Retry-After', 'X-Request-Id'],
    maxAge: 600,
  })
  return async function crossOrigin(c, next) {
    const preflight = c.req.method === 'OPTIONS' && c.req.header('access-control-request-method')
    if (c.req.method === 'OPTIONS' && !preflight) return next()
    return allow(c, next)
  }
}
