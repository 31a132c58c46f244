import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { type Fields, fieldsOf } from './fields.ts'
import { collect, decodePairs } from './pairs.ts'
import { refusePoison } from './text.ts'
import { type Step, validate } from './validation.ts'

const nothing = z.strictObject({})

/**
 * Reads the path's parameters.
 *
 * @param read takes them out of the path; Hono's routers have done so if absent
 */
export function readPath(
  schema: z.ZodType,
  read: (c: Context) => Record<string, string> = (c) => c.req.param(),
): Step {
  const fields = fieldsOf(schema)
  return function readPath(c) {
    const values = read(c)
    refusePoison(values, 'path')
    return validate(c, 'param', schema, decodeAll(values, fields))
  }
}

/**
 * Reads the query: refuses what cannot be decoded, a key that the schema does not name, and one that stands
 * twice where the schema takes one.
 *
 * @param schema none where the route takes no query at all
 */
export function readQuery(schema: z.ZodType = nothing): Step {
  const fields = fieldsOf(schema)
  return function readQuery(c) {
    const { url } = c.req.raw
    const start = url.indexOf('?')
    if (start < 0 && schema === nothing) return undefined
    const query = start < 0 ? '' : (url.slice(start + 1).split('#')[0] ?? '')
    return validate(c, 'query', schema, collect(decodePairs(query, 'query'), fields, 'query'))
  }
}

/** Reads the headers that the schema names, and no others. */
export function readHeaders(schema: z.ZodObject): Step {
  const names = Object.keys(schema.shape)
  const fields = fieldsOf(schema)
  return function readHeaders(c) {
    const values = Object.fromEntries(names.map((name) => [name, c.req.header(name)]))
    return validate(c, 'header', schema, decodeAll(values, fields))
  }
}

/** Reads the cookies that the schema names, and no others. */
export function readCookies(schema: z.ZodObject): Step {
  const names = Object.keys(schema.shape)
  const fields = fieldsOf(schema)
  return function readCookies(c) {
    const cookies = getCookie(c)
    const values = Object.fromEntries(names.map((name) => [name, cookies[name]]))
    refusePoison(values, 'cookie') // percent-encoded, they can hold anything
    return validate(c, 'cookie', schema, decodeAll(values, fields))
  }
}

/** Texts, with numbers and booleans where the schema takes these. */
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
