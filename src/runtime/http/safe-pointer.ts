import { z } from 'zod'
import { jsonPointer } from './json-pointer.ts'

/**
 * A JSON pointer to a wrong value that is safe to log: it contains only names that the contract has. A name that the
 * caller has chosen (an unknown key, a key of a record) may be a secret, so `*` replaces it and everything below it.
 *
 * @param path the path of one of zod's issues
 */
export function safePointer(schema: z.core.$ZodType, path: readonly PropertyKey[]): string {
  const shown: PropertyKey[] = []
  let current: z.core.$ZodType | undefined = schema
  for (const key of path) {
    current = current && stepInto(current, key)
    shown.push(current ? key : '*')
    if (!current) break
  }
  return jsonPointer(shown)
}

function stepInto(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject)
    return Object.hasOwn(schema.shape, key) ? schema.shape[key as string] : undefined
  if (schema instanceof z.ZodArray) return schema.element
  if (schema instanceof z.ZodTuple) return schema.def.items[Number(key)] ?? schema.def.rest ?? undefined
  if (schema instanceof z.ZodPipe) return stepInto(schema.def.in, key)
  if (schema instanceof z.ZodUnion) return first(schema.options, key)
  if (schema instanceof z.ZodIntersection) return first([schema.def.left, schema.def.right], key)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return stepInto(schema.unwrap(), key)
  return undefined
}

function first(schemas: readonly z.core.$ZodType[], key: PropertyKey): z.core.$ZodType | undefined {
  for (const schema of schemas) {
    const found = stepInto(schema, key)
    if (found) return found
  }
  return undefined
}
