import type { Context, MiddlewareHandler } from 'hono'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { stateOf } from './request-state.ts'
import { forwardedScheme } from './scheme.ts'

/** Five minutes: long enough to save a client the redirect, short enough to be undone. */
const redirectMaxAgeSeconds = 300
/** A year, which browsers' preload lists require. https://hstspreload.org */
const hstsMaxAgeSeconds = 31_536_000

/** Headers that may carry a credential. */
const credentialHeaders = [
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-api-key',
  'x-serverless-authorization',
]

/**
 * Enforces HTTPS. The load balancer ends TLS and sends the caller's scheme in `X-Forwarded-Proto`. For `http`, the
 * response is a 308 to the same path and query, for every method. For `https`, the response gets HSTS. A request without
 * the header (a probe, local use) passes.
 *
 * The redirect leads to a host that the service owns, never to an unchecked `Host`. A credential that was sent over http
 * is logged as a warning. It is not checked, so that a valid one and an invalid one get the same response.
 *
 * @param options.hosts the hosts that the service owns; the first is the default
 * @param options.credentials whether a request with a credential over http is redirected, or refused with a 403
 * @param options.apiKeyHeaders the headers that carry API keys: they are credentials too
 * @see https://www.rfc-editor.org/rfc/rfc6797
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-privacy/
 * @example
 * app.use(https({ hosts: ownedHosts(config) }))
 */
export function https(options: {
  hosts: readonly string[]
  includeSubDomains?: boolean
  credentials?: 'redirect' | 'refuse'
  apiKeyHeaders?: () => readonly string[]
}): MiddlewareHandler<BaseEnv> {
  const { hosts, includeSubDomains = false, credentials = 'redirect', apiKeyHeaders = () => [] } = options
  const hsts = `max-age=${hstsMaxAgeSeconds}${includeSubDomains ? '; includeSubDomains' : ''}`

  async function redirect(c: Context<BaseEnv>): Promise<Response> {
    if ([...credentialHeaders, ...apiKeyHeaders()].some((name) => c.req.header(name))) {
      c.get('log').warn(
        { path: c.req.path },
        'A credential was sent in clear, over http. Its owner should replace it',
      )
      if (credentials === 'refuse') throw new Problem(problems.CREDENTIAL_IN_CLEAR, { detail: inClear })
    }
    const claimed = c.req.header('host')?.toLowerCase()
    const host = hosts.find((owned) => owned === claimed) ?? hosts[0]
    if (!host)
      throw new Problem(problems.HTTPS_REQUIRED, {
        detail: 'Use https. (Set SERVICE_URL, so that the service can redirect.)',
      })
    return c.body(null, 308, {
      Location: `https://${host}${target(c.req.raw.url, c.env?.incoming?.url)}`,
      'Cache-Control': `max-age=${redirectMaxAgeSeconds}`,
    })
  }

  return function https(c, next) {
    const scheme = forwardedScheme(c)
    if (scheme === 'http') return redirect(c)
    if (scheme === 'https') stateOf(c).responseHeaders['Strict-Transport-Security'] = hsts
    return next()
  }
}

const inClear =
  'The credential crossed the network in clear. Replace it, and send the new one over https only.'

/** The path and query exactly as they arrived. From the absolute form (`GET http://host/path`) the host is removed. */
function target(url: string, raw = url): string {
  const rest = raw.replace(/^https?:\/\/[^/?#]*/i, '')
  return rest.startsWith('/') ? rest : `/${rest}`
}
