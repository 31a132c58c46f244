import type { z } from '@hono/zod-openapi'
import { Problem, problems } from '../kernel/problem.ts'
import { refuseUnsafe } from './unsafe-values.ts'
import { type Step, validate } from './validation.ts'

/** Creates the step that reads a text in UTF-8. The handler gets it by `c.req.valid('text')`. */
export function textReader(schema: z.ZodType): Step {
  return async function readText(c) {
    const text = decodeUtf8(await c.req.arrayBuffer())
    if (text === undefined)
      throw new Problem(problems.MALFORMED_REQUEST, { detail: 'The body is not a text in UTF-8.' })
    refuseUnsafe(text, 'body')
    validate(c, 'text', schema, text)
  }
}

/** Decodes a text, without its byte order mark. Returns `undefined` if the bytes are not UTF-8. */
export function decodeUtf8(bytes: ArrayBuffer | Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
