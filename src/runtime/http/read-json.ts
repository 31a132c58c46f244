import type { z } from '@hono/zod-openapi'
import { parseJson } from './parse-json.ts'
import { refuseUnsafe } from './unsafe-values.ts'
import { type Step, validate } from './validation.ts'

/**
 * The limit of values times levels for which all errors are listed; above it, the check ends at the first error. A value
 * can lack every field of its schema, and zod writes the path of each error once per level.
 */
const maxForAllErrors = 5_000

/**
 * Creates the step that reads a JSON body. The handler gets it by `c.req.valid('json')`.
 *
 * @param maxValues how many values it may hold; 100,000 if absent
 */
export function jsonReader(schema: z.ZodType, maxValues?: number): Step {
  return async function readJson(c) {
    const { value, shape } = parseJson(c, new Uint8Array(await c.req.arrayBuffer()), maxValues)
    if (shape.mayBeUnsafe) refuseUnsafe(value, 'body')
    validate(c, 'json', schema, value, shape.values * shape.depth > maxForAllErrors)
  }
}
