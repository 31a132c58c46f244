import type { Context } from 'hono'

/** The scheme that the caller used, as the load balancer says it in `X-Forwarded-Proto`. A probe or local use has none. */
export function forwardedScheme(c: Context): string | undefined {
  return c.req.header('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase()
}
