import fc from 'fast-check'
import { type JsonSchema, judge } from './json-schema.ts'

type Values = fc.Arbitrary<unknown>

const anything = fc.jsonValue({ maxDepth: 2 })
const list = (part: unknown) => (Array.isArray(part) ? (part as JsonSchema[]) : [])
const number = (part: unknown, otherwise: number) => (typeof part === 'number' ? part : otherwise)

/**
 * Generates values from a contract's JSON schema: those that fit, and those that just do not.
 *
 * @param components the contract's schemas by name
 * @param fits the judge of both
 */
export function valuesOf(components: Record<string, JsonSchema> = {}, fits = judge(components)) {
  function fitting(schema: JsonSchema): Values {
    return raw(schema).filter((value) => fits(schema, value))
  }

  /** Values near to the schema: most fit. */
  function raw(schema: JsonSchema): Values {
    const { $ref, type, enum: options, anyOf, oneOf, allOf, ...rest } = schema
    if (typeof $ref === 'string') return raw(components[$ref.split('/').at(-1) ?? ''] ?? {})
    if ('const' in schema) return fc.constant(schema.const)
    if (Array.isArray(options)) return fc.constantFrom(...options)
    if (anyOf || oneOf) return fc.oneof(...list(anyOf ?? oneOf).map(raw))
    const [part, ...parts] = list(allOf)
    if (part)
      return raw({
        ...(type !== undefined && { type }),
        ...rest,
        ...part,
        ...(parts.length > 0 && { allOf: parts }),
      })
    if (Array.isArray(type)) return fc.oneof(...type.map((one) => raw({ ...rest, type: one })))
    switch (type) {
      case 'string':
        return textOf(schema)
      case 'integer':
      case 'number':
        return numberOf(schema)
      case 'boolean':
        return fc.boolean()
      case 'null':
        return fc.constant(null)
      case 'array':
        return listOf(schema)
      case 'object':
        return objectOf(schema)
      default:
        return anything
    }
  }

  function textOf({ pattern, minLength, maxLength }: JsonSchema): Values {
    const least = number(minLength, 0)
    const most = number(maxLength, least + 20)
    if (pattern === undefined) return texts(least, most)
    const ahead = /\(\?[=!][^()]*\)/g // the generator knows no lookaheads; the judge does
    return fc.stringMatching(new RegExp(String(pattern).replaceAll(ahead, ''), 'u'))
  }

  function numberOf(schema: JsonSchema): Values {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf = 1, type } = schema
    const least = number(minimum ?? exclusiveMinimum, -1e6)
    const most = number(maximum ?? exclusiveMaximum, Math.max(1e6, least + 10))
    const step = Number(multipleOf)
    const whole = fc
      .maxSafeInteger()
      .map((n) => least + (Math.abs(n) % (most - least + 1)))
      .map((n) => Math.round(n / step) * step)
    const bounds = fc.constantFrom(least, most, least + step, most - step)
    const fraction = fc.double({ min: least, max: most, noNaN: true })
    return type === 'integer' || 'multipleOf' in schema
      ? fc.oneof(whole, bounds)
      : fc.oneof(whole, bounds, fraction)
  }

  function listOf({ prefixItems, items, minItems, maxItems }: JsonSchema): Values {
    const first = list(prefixItems).map(raw)
    const least = Math.max(0, number(minItems, 0) - first.length)
    const most = Math.max(0, number(maxItems, first.length + least + 3) - first.length)
    const rest =
      items === false
        ? fc.constant([])
        : fc.array(raw((items ?? {}) as JsonSchema), { minLength: least, maxLength: most })
    const begun = fc
      .tuple(...first)
      .chain((all) => fc.integer({ min: number(minItems, 0), max: all.length }).map((n) => all.slice(0, n)))
    const whole = fc.tuple(fc.tuple(...first), rest).map(([a, b]) => [...a, ...b])
    return first.length > 0 && number(minItems, 0) < first.length ? fc.oneof(whole, begun) : whole
  }

  function objectOf(schema: JsonSchema): Values {
    const { properties = {}, required = [], additionalProperties, propertyNames } = schema
    const parts = Object.entries(properties as Record<string, JsonSchema>).map(
      ([name, part]) => [name, raw(part)] as const,
    )
    const stated = fc.record(Object.fromEntries(parts), {
      requiredKeys: (required as string[]).filter((name) => Object.hasOwn(properties as object, name)),
      noNullPrototype: true,
    })
    if (additionalProperties === false) return stated
    const names = propertyNames ? (raw(propertyNames as JsonSchema) as fc.Arbitrary<string>) : texts(1, 5)
    const value = raw((additionalProperties ?? {}) as JsonSchema)
    const needed = (required as string[]).filter((name) => !Object.hasOwn(properties as object, name))
    const must = fc.record(Object.fromEntries(needed.map((name) => [name, value])), { noNullPrototype: true })
    return fc
      .tuple(fc.dictionary(names, value, { maxKeys: 3, noNullPrototype: true }), must, stated)
      .map((all) => Object.assign({}, ...all))
  }

  /** Values of which one place was changed: to another type, one too many, one too few. Most do not fit. */
  function spoilt(schema: JsonSchema): Values {
    return fc
      .tuple(raw(schema), fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), fc.constantFrom(...oddities))
      .map(([value, choices, odd]) => spoil(value, choices.values(), odd))
  }

  return { fitting, raw, spoilt }
}

/** Texts of so many characters, of which some take two UTF-16 units. */
function texts(least: number, most: number): fc.Arbitrary<string> {
  const character = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...'abz09 -_.A') },
    fc.constantFrom('é', '東', '😀', '𝒳', '"', '\\', '/', '\n', '%', '&', '+'),
  )
  const long = most - least > 50 ? least + 50 : most
  const lengths = { minLength: least, maxLength: long }
  const bounds = fc.constantFrom(...[least, most].map((length) => '😀'.repeat(length)))
  return fc.oneof({ weight: 5, arbitrary: fc.string({ unit: character, ...lengths }) }, bounds)
}

/** A value as a text. An object that has a key `toString` cannot be converted, so objects are written as JSON. */
function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** What stands in the place of something else. */
const oddities: readonly ((was: unknown) => unknown)[] = [
  () => null,
  () => true,
  () => '',
  () => -1,
  () => 1.5,
  () => 2 ** 53,
  () => [],
  () => ({}),
  (was) => `${textOf(was)}!`,
  (was) => ` ${textOf(was)}`,
  (was) => (typeof was === 'string' ? was.slice(1) : [was]),
  (was) => (typeof was === 'string' ? was.toUpperCase() : textOf(was)),
  (was) => (typeof was === 'number' ? was + 1 : was),
  (was) => (typeof was === 'number' ? was - 1 : was),
  (was) => (typeof was === 'number' ? was + 0.5 : was),
  (was) => (typeof was === 'string' ? was.repeat(200) : was),
  (was) => (typeof was === 'string' ? `${was}😀` : was),
]

/** Changes one place of a value. */
function spoil(value: unknown, choices: Iterator<number>, odd: (was: unknown) => unknown): unknown {
  const pick = (count: number) => (choices.next().value ?? 0) % count
  if (typeof value !== 'object' || value === null || pick(6) === 0) return odd(value)
  const keys = Object.keys(value)
  if (Array.isArray(value)) {
    const index = pick(keys.length + 2)
    if (index >= keys.length)
      return index === keys.length ? [...value, ...value, odd(value[0])] : value.slice(1)
    return value.with(index, spoil(value[index], choices, odd))
  }
  const at = pick(keys.length + 2)
  const copy: Record<string, unknown> = { ...value }
  const key = keys[at]
  if (at > keys.length) return { ...copy, unknown: 1 }
  if (key === undefined) return Object.defineProperty(copy, '__proto__', { value: 1, enumerable: true })
  if (pick(3) === 0) delete copy[key]
  else copy[key] = spoil(copy[key], choices, odd)
  return copy
}
