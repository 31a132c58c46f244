import type { Context } from 'hono'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { type JsonShape, shapeOfJson } from './json-shape.ts'
import { decodeUtf8 } from './read-text.ts'
import { requestMemory } from './request-memory.ts'
import { invalidAt } from './validation.ts'

/** How many values a JSON body may hold if its route declares no `bodyValues`. */
const defaultMaxValues = 100_000

/** How deeply a body may be nested: deeper than any contract, but shallow enough for recursive functions. */
const maxDepth = 64

/**
 * The memory that a parsed value takes at most, in bytes, including the copy that zod makes. Measured on Node 24: a
 * property of an object whose keys all differ takes 152, an empty object 128, an integer 16.
 */
const valueBytes = 160

/**
 * Parses a JSON body. Its values are counted before it is parsed.
 *
 * @param maxValues how many values it may hold
 * @throws {Problem} MALFORMED_REQUEST; VALIDATION_FAILED if it holds too many values or levels; OVERLOADED if other
 * requests hold too much memory
 */
export function parseJson(
  c: Context<BaseEnv>,
  bytes: Uint8Array,
  maxValues = defaultMaxValues,
): { value: unknown; shape: JsonShape } {
  const shape = shapeOfJson(bytes)
  if (shape.values > maxValues) throw shape.closed ? tooMany(maxValues) : malformed()
  requestMemory(c).reserve(shape.values * valueBytes)
  const value = parse(bytes)
  if (shape.depth > maxDepth) throw invalidAt('body', [], `is nested deeper than ${maxDepth} levels`)
  return { value, shape }
}

function parse(bytes: Uint8Array): unknown {
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

function tooMany(maxValues: number): Problem {
  return invalidAt('body', [], `may hold ${maxValues} values at most: split it into several requests`)
}
