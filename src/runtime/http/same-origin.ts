import type { Context } from 'hono'
import { Problem, problems } from '../kernel/problem.ts'
import { forwardedScheme } from './scheme.ts'

/**
 * Refuses a request that a browser sent from another site with our cookie. `Origin` must be one of the service's own. If
 * it is absent, `Sec-Fetch-Site` must be `same-origin`. A request with neither is refused too. (`hono/csrf` checks only
 * requests with a form's content type.)
 *
 * @param origins the service's own. If empty, the origin that the request was sent to counts as its own
 * @throws {Problem} CROSS_ORIGIN
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export function refuseCrossOrigin(c: Context, origins: readonly string[]): void {
  const origin = c.req.header('origin')
  const own = origins.length > 0 ? origins : [requestedOrigin(c)]
  const same = origin ? own.includes(origin) : c.req.header('sec-fetch-site') === 'same-origin'
  if (!same) {
    throw new Problem(problems.CROSS_ORIGIN, {
      detail: 'With the cookie, a request that changes something must come from the service’s own origin.',
    })
  }
}

function requestedOrigin(c: Context): string {
  return `${forwardedScheme(c) ?? 'http'}://${c.req.header('host')}`
}
