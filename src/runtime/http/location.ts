import type { Context } from 'hono'
import { pathOf } from './path.ts'

/**
 * The path of something below this request's own, as `Location` needs it: each step is encoded, and the path is kept
 * as it was sent (`c.req.path` is decoded, and a header cannot carry what it may hold).
 *
 * @param steps `location(c, order.id)` under `/orders` is `/orders/<id>`
 */
export function location(c: Context, ...steps: readonly (string | number)[]): string {
  const path = pathOf(c.req.url).replace(/\/$/, '')
  return [path, ...steps.map((step) => encodeURIComponent(step))].join('/')
}
