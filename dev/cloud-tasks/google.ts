import { HTTPException } from 'hono/http-exception'
import { z } from 'zod'

// How Google's REST API words its refusals and writes its values.

const codes = {
  ...({ INVALID_ARGUMENT: 400, FAILED_PRECONDITION: 400, NOT_FOUND: 404, ALREADY_EXISTS: 409 } as const),
  ...({ UNIMPLEMENTED: 501, UNAVAILABLE: 503 } as const),
}
type Status = keyof typeof codes

/** Refuses with this message unless `holds`. @throws {HTTPException} with the whole response */
export function demand(holds: unknown, message: string, status: Status = 'INVALID_ARGUMENT'): asserts holds {
  if (holds) return
  const code = codes[status]
  const res = Response.json({ error: { code, message, status } }, { status: code })
  throw new HTTPException(code, { message, res })
}

/** Reads what a client sent, or refuses with the first of the schema's messages. */
export function read<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const { success, data, error } = schema.safeParse(given)
  demand(success, error?.issues[0]?.message ?? 'Invalid value.')
  return data
}

/** A duration such as `600s` or `0.100s`, as milliseconds. */
export const duration = z.codec(z.string().regex(/^-?\d+(\.\d{1,9})?s$/), z.number(), {
  decode: (text) => Number.parseFloat(text) * 1000,
  encode: (milliseconds) => `${milliseconds / 1000}s`,
})

/** An RFC 3339 timestamp, as milliseconds since 1970. */
export const timestamp = z.codec(z.iso.datetime({ offset: true }), z.number(), {
  decode: Date.parse,
  encode: (milliseconds) => new Date(milliseconds).toISOString(),
})

/** Bytes in base64. */
export const bytes = z.codec(z.base64(), z.instanceof(Buffer), {
  decode: (text) => Buffer.from(text, 'base64'),
  encode: (buffer) => buffer.toString('base64'),
})

const methods = ['POST', 'GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const

/** An HttpMethod by its name, or by its number, which the Node client sends: 1 is POST; 0, for none, is POST as well. */
export const method = z.codec(z.union([z.enum(methods), z.int().min(0).max(7)]), z.enum(methods), {
  decode: (given) => (typeof given === 'number' ? (methods[given - 1] ?? 'POST') : given),
  encode: (name) => name,
})
