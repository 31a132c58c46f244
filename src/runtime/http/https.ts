import type { Context, MiddlewareHandler } from 'hono'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { stateOf } from './request-state.ts'

/** Five minutes: long enough to spare a client the detour, short enough to take back. */
const redirectAge = 300
/** A year, as browsers' preload lists ask. https://hstspreload.org */
const hstsAge = 31_536_000

/** Headers that carry a credential, or may. */
const credentialHeaders = [
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-api-key',
  'x-serverless-authorization',
]

/**
 * Forces HTTPS. The load balancer ends TLS and says how the caller came in `X-Forwarded-Proto`: `http` gets a
 * 308 to the same path and query, every method; `https` gets HSTS; a request without the header (a probe,
 * local use) passes. The target's host is one that the service owns, whatever the request claims. A credential that was
 * sent over http is a warning in the log; it is not looked at, so that a good one and a bad one get the same response.
 *
 * @param options.hosts the hosts that the service owns, the first being the default
 * @param options.credentials whether a request that carries a credential over http is redirected, or refused with a 403
 * @see https://www.rfc-editor.org/rfc/rfc6797
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-privacy/
 */
export function https(options: {
  hosts: readonly string[]
  includeSubDomains?: boolean
  credentials?: 'redirect' | 'refuse'
}): MiddlewareHandler<BaseEnv> {
  const { hosts, includeSubDomains = false, credentials = 'redirect' } = options
  const hsts = `max-age=${hstsAge}${includeSubDomains ? '; includeSubDomains' : ''}`

  async function redirect(c: Context<BaseEnv>): Promise<Response> {
    if (credentialHeaders.some((name) => c.req.header(name))) {
      c.get('log').warn(
        { path: c.req.path },
        'A credential was sent in clear, over http: its owner should replace it',
      )
      if (credentials === 'refuse') throw new Problem(problems.CREDENTIAL_IN_CLEAR, { detail: inClear })
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
    if (scheme === 'https') stateOf(c).responseHeaders['Strict-Transport-Security'] = hsts
    return next()
  }
}

const inClear =
  'The credential crossed the network in clear. Replace it, and send the new one over https only.'

/** Path and query exactly as they arrived; the absolute form (`GET http://host/path`) loses its host. */
function target(url: string, raw = url): string {
  const rest = raw.replace(/^https?:\/\/[^/?#]*/i, '')
  return rest.startsWith('/') ? rest : `/${rest}`
}
