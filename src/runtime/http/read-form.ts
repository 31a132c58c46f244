import type { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Problem, problems } from '../kernel/problem.ts'
import { type Field, type Fields, fieldsOf } from './fields.ts'
import { parseMultipart } from './multipart.ts'
import { collectPairs, decodePairs, type Pair } from './pairs.ts'
import { decodeUtf8 } from './read-text.ts'
import { type Step, validate } from './validation.ts'

/** Whether a content type, in lower case and without parameters, is that of a form. */
export function isForm(type: string): boolean {
  return type === 'application/x-www-form-urlencoded' || type === 'multipart/form-data'
}

/**
 * Creates the step that reads a form. The handler gets it by `c.req.valid('form')`.
 *
 * @param maxFiles how many files it may hold; 100 if absent
 */
export function formReader(schema: z.ZodType, maxFiles?: number): Step {
  const fields = fieldsOf(schema)
  return async function readForm(c) {
    validate(c, 'form', schema, collectPairs(await parseForm(c, fields, maxFiles), fields, 'body'))
  }
}

async function parseForm(c: Context, fields: Fields, maxFiles?: number): Promise<readonly Pair[]> {
  const type = c.req.header('content-type') ?? ''
  const pairs = parsePairs(Buffer.from(await c.req.arrayBuffer()), type, maxFiles)
  return pairs.filter(([name, value]) => !isUnchosen(value, fields(name)))
}

/**
 * The fields of a form, in order.
 *
 * @param type the content type. If it is not multipart, the body is read as URL-encoded pairs
 * @param maxFiles how many files it may hold; 100 if absent
 * @throws {Problem} MALFORMED_REQUEST; VALIDATION_FAILED for more than 1,000 fields, or too many files
 */
export function parsePairs(bytes: Buffer<ArrayBuffer>, type: string, maxFiles?: number): readonly Pair[] {
  if (/^\s*multipart\//i.test(type)) return parseMultipart(bytes, type, maxFiles)
  const text = decodeUtf8(bytes)
  if (text === undefined)
    throw new Problem(problems.MALFORMED_REQUEST, { detail: 'The body is not a form in UTF-8.' })
  return decodePairs(text, 'body')
}

/** Whether a part is what a browser sends for `<input type="file">` if no file was chosen. */
function isUnchosen(value: unknown, field: Field | undefined): boolean {
  return field?.takesFiles === true && value instanceof File && value.name === '' && value.size === 0
}
