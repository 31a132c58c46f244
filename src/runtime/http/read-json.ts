import type { z } from '@hono/zod-openapi'
import { parseJson } from './parse-json.ts'
import { refusePoison } from './text.ts'
import { type Step, validate } from './validation.ts'

/**
 * Values times levels: of what has more, the first error alone is looked for. A value can miss every field of its
 * schema, and zod writes the path of each error once per level.
 */
const mostForAllErrors = 5_000

/**
 * Reads a body that is JSON; the handler finds it by `c.req.valid('json')`.
 *
 * @param mostValues how many values it may hold; 100,000 if absent
 */
export function jsonReader(schema: z.ZodType, mostValues?: number): Step {
  return async function readJson(c) {
    const { value, shape } = parseJson(c, new Uint8Array(await c.req.arrayBuffer()), mostValues)
    if (shape.poison) refusePoison(value, 'body')
    validate(c, 'json', schema, value, shape.values * shape.depth > mostForAllErrors)
  }
}
