import type { Context, MiddlewareHandler } from 'hono'
import type { Config } from '../config/config.ts'
import type { BaseEnv } from './env.ts'
import { Problem, problems } from './problem.ts'

/** Five minutes: long enough to spare a client the detour, short enough to take back. */
const redirectAge = 300
/** A year, as browsers' preload lists ask. https://hstspreload.org */
const hstsAge = 31_536_000

/**
 * Forces HTTPS. The load balancer ends TLS and says how the caller came in `X-Forwarded-Proto`: `http` gets a
 * 308 to the same path and query, every method; `https` gets HSTS; a request without the header (a probe,
 * local use) passes. The target's host is one that the service owns, whatever the request claims.
 *
 * @param options.hosts the hosts that the service owns, the first being the default
 * @see https://www.rfc-editor.org/rfc/rfc6797
 */
export function https(options: {
  hosts: readonly string[]
  includeSubDomains?: boolean
}): MiddlewareHandler<BaseEnv> {
  const { hosts, includeSubDomains = false } = options
  const hsts = `max-age=${hstsAge}${includeSubDomains ? '; includeSubDomains' : ''}`

  async function redirect(c: Context<BaseEnv>): Promise<Response> {
    if (c.req.header('authorization') || c.req.header('cookie')) {
      c.get('log').warn(
        { path: c.req.path },
        'A credential was sent in clear, over http: its owner should replace it',
      )
    }
    const claimed = c.req.header('host')?.toLowerCase()
    const host = hosts.find((owned) => owned === claimed) ?? hosts[0]
    if (!host)
      throw new Problem(problems.HTTPS_REQUIRED, { detail: 'Set SERVICE_URL to have callers redirected.' })
    return c.body(null, 308, {
      Location: `https://${host}${target(c.req.raw.url, c.env?.incoming?.url)}`,
      'Cache-Control': `max-age=${redirectAge}`,
    })
  }

  return function https(c, next) {
    const scheme = c.req.header('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase()
    if (scheme === 'http') return redirect(c)
    if (scheme === 'https') c.get('answerHeaders')['Strict-Transport-Security'] = hsts
    return next()
  }
}

/** Path and query exactly as they arrived; the absolute form (`GET http://host/path`) loses its host. */
function target(url: string, raw = url): string {
  const rest = raw.replace(/^https?:\/\/[^/?#]*/i, '')
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** The hosts that the service owns: SERVICE_URL's first, then ALLOWED_HOSTS. */
export function ownedHosts(config: Pick<Config, 'SERVICE_URL' | 'ALLOWED_HOSTS'>): string[] {
  return [...(config.SERVICE_URL ? [new URL(config.SERVICE_URL).host] : []), ...config.ALLOWED_HOSTS]
}
