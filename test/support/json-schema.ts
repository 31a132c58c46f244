import { isIPv6 } from 'node:net'
import { Ajv2020 } from 'ajv/dist/2020.js'

/** A JSON schema (2020-12), as contracts have them. */
export type JsonSchema = Record<string, unknown>

/**
 * Makes the judge of what a contract takes: a validator that knows nothing of zod. Formats say what patterns say already,
 * but for `ipv6`.
 *
 * @param components the contract's schemas by name
 * @returns whether a value fits a schema
 */
export function judge(components: Record<string, JsonSchema> = {}) {
  const ajv = new Ajv2020({
    strict: false,
    logger: false,
    formats: { ipv6: (text: string) => isIPv6(text) && !text.includes('%') },
  })
  const known = new Map<JsonSchema, (value: unknown) => boolean>()
  return function fits(schema: JsonSchema, value: unknown): boolean {
    const check = known.get(schema) ?? ajv.compile({ ...schema, components: { schemas: components } })
    known.set(schema, check)
    return check(value)
  }
}
