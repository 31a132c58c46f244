import type { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { BaseEnv } from './env.ts'
import { hold } from './hold.ts'
import { shapeOfJson } from './json-shape.ts'
import { Problem, problems } from './problem.ts'
import { decodeUtf8 } from './read-text.ts'
import { refusal, refusePoison } from './text.ts'
import { type Step, validate } from './validation.ts'

/** Two bytes of JSON make a value. */
const usualValues = 100_000

/**
 * Bytes of memory that a value takes at most when it is parsed, with the copy that zod makes of it: measured on Node 24, a
 * pair of an object whose keys all differ takes 152, an empty object 128, an integer 16.
 */
const valueBytes = 160

/** Deeper than any contract, shallow enough for every recursion over a parsed body. */
const mostDepth = 64

/**
 * Values times depth: of what has more, the first error alone is looked for. A value can miss every field of its
 * schema, and zod writes the path of each error once per level.
 */
const mostForAllErrors = 2_000

/**
 * Reads a body that is JSON; the handler finds it by `c.req.valid('json')`. What it holds is counted before it is parsed.
 *
 * @param mostValues how many values it may hold; 100,000 if absent
 */
export function jsonReader(schema: z.ZodType, mostValues = usualValues): Step {
  return async function readJson(c) {
    const bytes = await c.req.arrayBuffer()
    const { values, depth, closed, poison } = shapeOfJson(new Uint8Array(bytes))
    if (values > mostValues) throw closed ? tooMany(mostValues) : malformed()
    const value = parseJson(c, bytes, values)
    if (depth > mostDepth) throw refusal('body', '#', `is nested deeper than ${mostDepth} levels`)
    if (poison) refusePoison(value, 'body')
    validate(c, 'json', schema, value, values * depth > mostForAllErrors)
  }
}

/**
 * Parses JSON, and holds the memory that it takes.
 *
 * @param values how many it has
 * @throws {Problem} MALFORMED_REQUEST; OVERLOADED where others hold too much memory
 */
export function parseJson(
  c: Context<BaseEnv>,
  bytes: ArrayBuffer,
  values = shapeOfJson(new Uint8Array(bytes)).values,
): unknown {
  hold(c).take(values * valueBytes)
  const text = decodeUtf8(bytes)
  if (text === undefined) throw malformed()
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

function tooMany(mostValues: number): Problem {
  return refusal('body', '#', `may hold ${mostValues} values at most: send it in parts`)
}
