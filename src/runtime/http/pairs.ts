import { Problem, type ProblemError, problems } from '../kernel/problem.ts'
import type { Field, Fields } from './fields.ts'
import { jsonPointer } from './json-pointer.ts'
import { refuseUnsafe } from './unsafe-values.ts'
import { type RequestPart, validationFailed } from './validation.ts'

/** How many parameters a query may have, and how many fields a form may have. */
export const maxPairs = 1_000

/** A name and its value: a text or a file. */
export type Pair = readonly [name: string, value: unknown]

/**
 * Builds an object from pairs. A value is a list if the schema takes one, and a number or a boolean if the schema takes no
 * text. The time is linear in the number of pairs.
 *
 * @throws {Problem} VALIDATION_FAILED for unsafe text, and for a name that is repeated but does not take a list
 */
export function collectPairs(
  pairs: Iterable<Pair>,
  fields: Fields,
  part: RequestPart,
): Record<string, unknown> {
  const all = new Map<string, unknown[]>()
  for (const [name, value] of pairs) {
    refuseUnsafe({ [name]: value }, part)
    const known = all.get(name)
    if (known) known.push(value)
    else all.set(name, [value])
  }
  const values: Record<string, unknown> = Object.create(null) // a key may be __proto__
  const errors: ProblemError[] = []
  for (const [name, sent] of all) {
    const field = fields(name)
    if (field && sent.length > 1 && !field.list && !field.set)
      errors.push({ detail: 'may occur only once', in: part, pointer: jsonPointer([name]) })
    values[name] = field ? read(sent, field) : sent[0] // the schema refuses an unknown name
  }
  if (errors.length > 0) throw validationFailed(part, errors)
  return values
}

function read(sent: readonly unknown[], { one, list, set }: Field): unknown {
  if (!(list || set) || (sent.length === 1 && one.takes(sent[0]))) return one.read(sent[0])
  return list ? list(sent) : new Set(sent.map((value) => set?.read(value)))
}

/**
 * Decodes the pairs of a query or a form, in order.
 *
 * @throws {Problem} VALIDATION_FAILED for more than 1,000 pairs, before the first is decoded; MALFORMED_REQUEST for text
 * that is not percent-encoded UTF-8
 */
export function decodePairs(text: string, part: RequestPart): Pair[] {
  if (text === '') return []
  let count = 1
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1))
    if (++count > maxPairs) throw tooManyPairs(part)
  const pairs = withSpaces(text)
    .split('&')
    .filter((pair) => pair !== '')
  return pairs.map((pair) => decodePair(pair, part))
}

/** The problem of a query or a form with too many fields or files. */
export function tooManyPairs(part: RequestPart, most = maxPairs, what = 'fields'): Problem {
  return new Problem(problems.VALIDATION_FAILED, {
    detail: `The ${part} has more than ${most} ${what}.`,
    errors: [{ detail: `must have ${most} ${what} at most`, in: part, pointer: '#' }],
  })
}

/** Replaces `+` by a space. Doing this in the bytes is twenty times faster than in the text, if there are a million. */
function withSpaces(text: string): string {
  if (!text.includes('+')) return text
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === 0x2b) bytes[at] = 0x20
  return bytes.toString()
}

function decodePair(pair: string, part: RequestPart): Pair {
  const split = pair.indexOf('=')
  try {
    const [name, value] = split < 0 ? [pair, ''] : [pair.slice(0, split), pair.slice(split + 1)]
    return [decodeURIComponent(name), decodeURIComponent(value)]
  } catch {
    throw new Problem(problems.MALFORMED_REQUEST, { detail: `The ${part} is not percent-encoded UTF-8.` })
  }
}
