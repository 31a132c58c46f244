import type { Context } from 'hono'
import { pathOf } from './path.ts'

/**
 * The path of a resource below the request's own path, for the header `Location`. The request's path stays as it was sent
 * (`c.req.path` is decoded, and may contain what a header cannot carry). Each step is encoded.
 *
 * @param steps for a request to `/orders`, `location(c, order.id)` is `/orders/<id>`
 * @example
 * c.json(order, 201, { Location: location(c, order.id) })
 */
export function location(c: Context, ...steps: readonly (string | number)[]): string {
  const path = pathOf(c.req.url).replace(/\/$/, '')
  return [path, ...steps.map((step) => encodeURIComponent(step))].join('/')
}
