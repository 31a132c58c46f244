import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { Problem, type ProblemError, problems } from './problem.ts'
import { pointerStep, refusePoison } from './text.ts'
import { typedText } from './typed-text.ts'
import { invalid, type Place, type Step, validate } from './validation.ts'

const nothing = z.strictObject({})

/** How many parameters a query may have, and how many fields a form. */
const mostPairs = 1_000

/**
 * Reads the path's parameters.
 *
 * @param read takes them out of the path; Hono's routers have done so if absent
 */
export function readPath(
  schema: z.ZodType,
  read: (c: Context) => Record<string, string> = (c) => c.req.param(),
): Step {
  const typed = typedText(schema)
  return function readPath(c) {
    const values = read(c)
    refusePoison(values, 'path')
    return validate(c, 'param', schema, typed(values))
  }
}

/**
 * Reads the query: refuses what cannot be decoded, a key that the schema does not name, and one that stands
 * twice where the schema takes one.
 *
 * @param schema none where the route takes no query at all
 */
export function readQuery(schema: z.ZodType = nothing): Step {
  const lists = listNames(schema)
  const typed = typedText(schema)
  return function readQuery(c) {
    const { url } = c.req.raw
    const start = url.indexOf('?')
    if (start < 0 && schema === nothing) return undefined
    const query = start < 0 ? '' : (url.slice(start + 1).split('#')[0] ?? '')
    return validate(c, 'query', schema, typed(collect(decodePairs(query), lists, 'query')))
  }
}

/** Reads the headers that the schema names, and no others. */
export function readHeaders(schema: z.ZodObject): Step {
  const names = Object.keys(schema.shape)
  const typed = typedText(schema)
  return function readHeaders(c) {
    const values = Object.fromEntries(names.map((name) => [name, c.req.header(name)]))
    return validate(c, 'header', schema, typed(values))
  }
}

/** Reads the cookies that the schema names, and no others. */
export function readCookies(schema: z.ZodObject): Step {
  const names = Object.keys(schema.shape)
  const typed = typedText(schema)
  return function readCookies(c) {
    const cookies = getCookie(c)
    const values = Object.fromEntries(names.map((name) => [name, cookies[name]]))
    refusePoison(values, 'cookie') // percent-encoded, they can hold anything
    return validate(c, 'cookie', schema, typed(values))
  }
}

/** The keys of a schema that may be repeated. */
export function listNames(schema: z.ZodType): ReadonlySet<string> {
  if (!(schema instanceof z.ZodObject)) return new Set()
  const names = Object.entries(schema.shape).filter(([, part]) => unwrapped(part) instanceof z.ZodArray)
  return new Set(names.map(([name]) => name))
}

/**
 * Makes an object of pairs, lists where the schema takes lists. The work grows with the number of pairs, no faster.
 *
 * @throws {Problem} VALIDATION_FAILED for more than 1,000 pairs, for poison, and for a key that stands twice but is no list
 */
export function collect(
  entries: Iterable<readonly [name: string, value: unknown]>,
  lists: ReadonlySet<string>,
  place: Place,
): Record<string, unknown> {
  const values: Record<string, unknown> = Object.create(null) // a key may be __proto__
  const errors: ProblemError[] = []
  let count = 0
  for (const [name, value] of entries) {
    if (++count > mostPairs) throw tooMany(place)
    refusePoison({ [name]: value }, place)
    const known = values[name]
    if (lists.has(name) && Array.isArray(known)) known.push(value)
    else if (lists.has(name)) values[name] = [value]
    else if (known === undefined) values[name] = value
    else errors.push({ detail: 'may stand once only', in: place, pointer: `#/${pointerStep(name)}` })
  }
  if (errors.length > 0) throw invalid(place, errors)
  return values
}

/**
 * Decodes a query or a form, in its order.
 *
 * @throws {Problem} MALFORMED_REQUEST for what is not percent-encoded UTF-8
 */
export function* decodePairs(text: string): Generator<[name: string, value: string]> {
  for (let start = 0; start <= text.length; ) {
    const found = text.indexOf('&', start)
    const end = found < 0 ? text.length : found
    if (end > start) yield decodePair(text.slice(start, end))
    start = end + 1
  }
}

function tooMany(place: Place): Problem {
  return new Problem(problems.VALIDATION_FAILED, {
    detail: `The ${place} has more than ${mostPairs} fields.`,
    errors: [{ detail: `must have ${mostPairs} fields at most`, in: place, pointer: '#' }],
  })
}

function decodePair(pair: string): [name: string, value: string] {
  const split = pair.indexOf('=')
  try {
    const [name, value] = split < 0 ? [pair, ''] : [pair.slice(0, split), pair.slice(split + 1)]
    return [decodeURIComponent(name.replaceAll('+', ' ')), decodeURIComponent(value.replaceAll('+', ' '))]
  } catch {
    throw new Problem(problems.MALFORMED_REQUEST, { detail: 'The query is not percent-encoded UTF-8.' })
  }
}

/** The schema inside `.optional()`, `.default()` and their like. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const inner = 'innerType' in schema._zod.def ? schema._zod.def.innerType : undefined
  return inner instanceof z.core.$ZodType ? unwrapped(inner) : schema
}
