import { z } from 'zod'

// Google's JSON of values, which its schemas read and write.

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

/** An HttpMethod by its name or, as the Node client sends it, its number: 1 is POST, and so is 0, for none. */
export const method = z.codec(z.union([z.enum(methods), z.int()]), z.enum(methods), {
  decode: (given) => (typeof given === 'number' ? (methods[given - 1] ?? 'POST') : given),
  encode: (name) => name,
})
