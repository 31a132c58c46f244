import type { z } from '@hono/zod-openapi'
import { Problem, problems } from './problem.ts'
import { decodeUtf8 } from './read-text.ts'
import { maybePoison, refusePoison } from './text.ts'
import { type Step, validate } from './validation.ts'

/** Reads a body that is JSON; the handler finds it by `c.req.valid('json')`. */
export function jsonReader(schema: z.ZodType, _mostValues?: number): Step {
  return async function readJson(c) {
    validate(c, 'json', schema, parseJson(await c.req.arrayBuffer()))
  }
}

function parseJson(bytes: ArrayBuffer): unknown {
  const text = decodeUtf8(bytes)
  if (text === undefined) throw malformed()
  const value = parse(text)
  if (maybePoison(text)) refusePoison(value, 'body')
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw malformed(/position \d+/.exec((cause as SyntaxError).message)?.[0])
  }
}

function malformed(position?: string): Problem {
  const detail = `The body is not valid JSON in UTF-8${position ? ` (at ${position})` : ''}.`
  return new Problem(problems.MALFORMED_REQUEST, { detail })
}
