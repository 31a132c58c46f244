import fc from 'fast-check'
import { type Json, listOf, objectOf } from './document.ts'

/** Finds the prepared schema of a name. */
export type LookUp = (name: string) => Json

const texts: Readonly<Record<string, string>> = {
  ...{ email: 'ada@example.com', uri: 'https://example.com/a', uuid: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f' },
  ...{ 'date-time': '2026-11-22T09:30:00Z', date: '2026-11-22', time: '09:30:00Z', duration: 'P1D' },
  ...{ hostname: 'example.com', ipv4: '192.0.2.1', ipv6: '2001:db8::1', base64: 'YWJj' },
}

/**
 * Makes a value of a prepared schema. Whether the schema takes it must be checked: it may have rules that this does not know.
 *
 * @param options.isFull whether objects have their optional properties too
 */
export function sampleOf(
  schema: Json,
  lookUp: LookUp,
  options: { isFull: boolean; inside?: readonly string[] },
): unknown {
  const { isFull, inside = [] } = options
  const inner = (part: unknown) => sampleOf(objectOf(part), lookUp, options)
  const name = schema['x-ref']
  if (typeof name === 'string')
    return inside.includes(name)
      ? null
      : sampleOf(lookUp(name), lookUp, { isFull, inside: [...inside, name] })
  if ('const' in schema) return schema.const
  const [first] = listOf(schema.enum ?? schema.anyOf ?? schema.oneOf)
  if (Array.isArray(schema.enum)) return first
  if (schema.anyOf || schema.oneOf) return inner(first)
  if (Array.isArray(schema.allOf)) {
    const parts = schema.allOf.map(inner)
    return parts.every((part) => typeof part === 'object') ? Object.assign({}, ...parts) : parts.at(-1)
  }
  switch (schema.type) {
    case 'string':
      return sampleText(schema)
    case 'integer':
    case 'number':
      return sampleNumber(schema)
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return sampleList(schema, inner, isFull)
    case 'object':
      return sampleObject(schema, inner, options)
    default:
      return 'text'
  }
}

function sampleText({ format, pattern, minLength, maxLength }: Json): string {
  const known = texts[String(format)]
  if (known) return known
  const least = Number(minLength ?? 0)
  const most = Number(maxLength ?? 1000)
  if (typeof pattern === 'string') return matching(pattern, least, most)
  return 'text'
    .repeat(Math.ceil(Math.max(least, 1) / 4))
    .slice(0, Math.max(least, Math.min(most, Math.max(4, least))))
}

/** A text that a pattern takes: the shortest of some, of plain characters if there are such. */
function matching(pattern: string, least: number, most: number): string {
  try {
    const expression = new RegExp(pattern, 'u')
    const all = fc.sample(fc.stringMatching(expression), { numRuns: 100, seed: 1 })
    const fitting = all.filter((text) => text.length >= least && text.length <= most)
    const plain = fitting.filter((text) => /^[\w-][ -~]*$/.test(text))
    return (plain.length > 0 ? plain : fitting).sort((a, b) => a.length - b.length)[0] ?? 'text'
  } catch {
    return 'text' // fast-check does not generate lookaheads
  }
}

function sampleNumber({
  type,
  minimum,
  maximum,
  exclusiveMinimum,
  exclusiveMaximum,
  multipleOf,
}: Json): number {
  const step = Number(multipleOf ?? 1)
  const least = Number(
    minimum ?? (exclusiveMinimum === undefined ? Number.NaN : Number(exclusiveMinimum) + step),
  )
  const most = Number(
    maximum ?? (exclusiveMaximum === undefined ? Number.NaN : Number(exclusiveMaximum) - step),
  )
  const wanted = Number.isNaN(least) ? (Number.isNaN(most) || most >= step ? step : most) : least
  const whole = type === 'integer' ? Math.ceil(wanted / step) * step : wanted
  const isBetween = exclusiveMinimum !== undefined && exclusiveMaximum !== undefined && type === 'number'
  return isBetween ? (Number(exclusiveMinimum) + Number(exclusiveMaximum)) / 2 : whole
}

function sampleList(schema: Json, inner: (part: unknown) => unknown, isFull: boolean): unknown[] {
  const first = listOf(schema.prefixItems).map(inner)
  if (first.length > 0) return first
  const count = Math.max(Number(schema.minItems ?? 0), isFull && schema.maxItems !== 0 ? 1 : 0)
  return Array.from({ length: count }, () => inner(schema.items)).filter((item) => item !== null)
}

function sampleObject(
  schema: Json,
  inner: (part: unknown) => unknown,
  { isFull, inside = [] }: { isFull: boolean; inside?: readonly string[] },
): Json {
  const required = listOf(schema.required)
  const found: Json = {}
  for (const [name, part] of Object.entries(objectOf(schema.properties))) {
    const isNeeded = required.includes(name)
    if (!isNeeded && (!isFull || inside.length > 2 || leadsBack(part, inside))) continue
    found[name] = inner(part)
  }
  if (
    schema['x-map'] &&
    isFull &&
    typeof schema.additionalProperties === 'object' &&
    Object.keys(objectOf(schema.additionalProperties)).length > 0
  )
    found.key = inner(schema.additionalProperties)
  return found
}

/** Whether a property leads back to a schema that it is inside of. */
function leadsBack(part: unknown, inside: readonly string[]): boolean {
  const text = JSON.stringify(part)
  return [...text.matchAll(/"x-ref":"([^"]*)"/g)].some(([, name = '']) => inside.includes(name))
}
