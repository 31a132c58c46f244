import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { type Fields, fieldsOf } from './fields.ts'
import { collectPairs, decodePairs } from './pairs.ts'
import { refuseUnsafe } from './unsafe-values.ts'
import { type Step, validate } from './validation.ts'

const nothing = z.strictObject({})

/**
 * Creates the step that reads the parameters of the path.
 *
 * @param read reads them from the path; if absent, Hono's routers have done so
 */
export function readPath(
  schema: z.ZodType,
  read: (c: Context) => Record<string, string> = (c) => c.req.param(),
): Step {
  const fields = fieldsOf(schema)
  return function readPath(c) {
    const values = read(c)
    refuseUnsafe(values, 'path')
    return validate(c, 'param', schema, decodeAll(values, fields))
  }
}

/**
 * Creates the step that reads the query. It refuses a query that cannot be decoded, a name that the schema does not have,
 * and a repeated name that takes a single value.
 *
 * @param schema if absent, the route takes no query
 */
export function readQuery(schema: z.ZodType = nothing): Step {
  const fields = fieldsOf(schema)
  return function readQuery(c) {
    const { url } = c.req.raw
    const start = url.indexOf('?')
    if (start < 0 && schema === nothing) return undefined
    const query = start < 0 ? '' : (url.slice(start + 1).split('#')[0] ?? '')
    return validate(c, 'query', schema, collectPairs(decodePairs(query, 'query'), fields, 'query'))
  }
}

/** Creates the step that reads the headers that the schema has, and no others. */
export function readHeaders(schema: z.ZodObject): Step {
  const names = Object.keys(schema.shape)
  const fields = fieldsOf(schema)
  return function readHeaders(c) {
    const values = Object.fromEntries(names.map((name) => [name, c.req.header(name)]))
    return validate(c, 'header', schema, decodeAll(values, fields))
  }
}

/** Creates the step that reads the cookies that the schema has, and no others. */
export function readCookies(schema: z.ZodObject): Step {
  const names = Object.keys(schema.shape)
  const fields = fieldsOf(schema)
  return function readCookies(c) {
    const cookies = getCookie(c)
    const values = Object.fromEntries(names.map((name) => [name, cookies[name]]))
    refuseUnsafe(values, 'cookie') // since they are percent-encoded, they can hold any character
    return validate(c, 'cookie', schema, decodeAll(values, fields))
  }
}

/** Converts texts to numbers and booleans where the schema takes these. */
function decodeAll(
  texts: Readonly<Record<string, string | undefined>>,
  fields: Fields,
): Record<string, unknown> {
  const values: Record<string, unknown> = Object.create(null) // a name may be __proto__
  for (const [name, text] of Object.entries(texts)) {
    const field = fields(name)
    values[name] = field ? field.one.read(text) : text
  }
  return values
}
