import { isDeepStrictEqual } from 'node:util'
import { DocumentError, type Json, listOf, lookUp, objectOf } from './document.ts'

/** Keywords that say something of a schema, and limit no value. */
export const annotations: ReadonlySet<string> = new Set([
  ...[
    'title',
    'description',
    'example',
    'examples',
    'default',
    'deprecated',
    'externalDocs',
    'xml',
    '$comment',
  ],
  ...['readOnly', 'writeOnly', 'discriminator', '$id', '$schema', '$anchor'],
])

/** Whether a keyword limits values. */
export function isLimit(keyword: string): boolean {
  return !annotations.has(keyword) && !keyword.startsWith('x-')
}

const objectWords = [
  'properties',
  'required',
  'additionalProperties',
  'minProperties',
  'maxProperties',
  'patternProperties',
]

/** The type of a schema, as it is stated or as its keywords imply it; several where it says several. */
export function typesOf(schema: Json): readonly string[] {
  if (schema.type !== undefined) return [schema.type].flat().map(String)
  const has = (...words: readonly string[]) => words.some((word) => word in schema)
  if (has(...objectWords)) return ['object']
  if (has('items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems')) return ['array']
  if (has('pattern', 'minLength', 'maxLength')) return ['string']
  if (has('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf')) return ['number']
  return []
}

/**
 * Merges `allOf` into one object, with all its properties. So an object of a request can be strict: of several strict
 * objects, none takes the properties of the others.
 *
 * @returns `undefined` if the parts are not all objects
 */
export function mergeParts(document: Json, schema: Json, place: string): Json | undefined {
  const { allOf, ...own } = schema
  const parts = [...listOf(allOf).map((part) => flatten(document, part, place)), own]
  return parts.every((part) => part !== undefined) ? mergeObjects(parts as Json[]) : undefined
}

/** Puts what an object always has into each of its alternatives. */
export function spreadAlternatives(
  document: Json,
  schema: Json,
  word: 'anyOf' | 'oneOf',
  place: string,
): readonly Json[] | undefined {
  const { [word]: options, ...base } = schema
  const spread = listOf(options).map((option) => flatten(document, option, place))
  if (!spread.every((option) => option !== undefined)) return undefined
  const { description: _description, example: _example, examples: _examples, ...kept } = base
  const merged = spread.map((option) => mergeObjects([kept, option as Json]))
  return merged.every((option) => option !== undefined) ? (merged as Json[]) : undefined
}

/** A schema without references and `allOf` at its top; `undefined` for one that is no object. */
function flatten(
  document: Json,
  value: unknown,
  place: string,
  seen: readonly string[] = [],
): Json | undefined {
  const { $ref, ...rest } = objectOf(value)
  if (typeof $ref === 'string') {
    if (seen.includes($ref))
      throw new DocumentError(`${place}: allOf of ${$ref} contains itself: take it out`)
    const found = flatten(document, lookUp(document, $ref), place, [...seen, $ref])
    const {
      description: _description,
      title: _title,
      example: _example,
      examples: _examples,
      ...kept
    } = found ?? {}
    return found && mergeObjects([kept, rest])
  }
  if (!('allOf' in rest)) return isObjectLike(rest) ? rest : undefined
  const { allOf, ...own } = rest
  const parts = [...listOf(allOf).map((part) => flatten(document, part, place, seen)), own]
  return parts.every((part) => part !== undefined) ? mergeObjects(parts as Json[]) : undefined
}

function isObjectLike(schema: Json): boolean {
  const types = typesOf(schema)
  return (types.length === 1 && types[0] === 'object') || Object.keys(schema).filter(isLimit).length === 0
}

const mergeable = new Set(['type', 'properties', 'required', 'additionalProperties'])

function mergeObjects(parts: readonly Json[]): Json | undefined {
  const merged: Json = {}
  for (const part of parts) {
    if (!isObjectLike(part) && !('anyOf' in part || 'oneOf' in part)) return undefined
    for (const [key, value] of Object.entries(part)) {
      if (key === 'properties')
        merged.properties = mergeProperties(objectOf(merged.properties), objectOf(value))
      else if (key === 'required')
        merged.required = [...new Set([...listOf(merged.required), ...listOf(value)])]
      else if (key === 'additionalProperties')
        merged[key] = value === false || merged[key] === false ? false : (merged[key] ?? value)
      else if (isLimit(key) && !mergeable.has(key) && key in merged && !isDeepStrictEqual(merged[key], value))
        return undefined
      else merged[key] = value
    }
  }
  if (typesOf(merged).includes('object')) merged.type = 'object'
  return merged
}

function mergeProperties(one: Json, other: Json): Json {
  const merged = { ...one }
  for (const [name, schema] of Object.entries(other)) {
    const before = Object.hasOwn(one, name) ? one[name] : undefined
    const adds = Object.keys(objectOf(schema)).some(isLimit)
    if (before === undefined || isDeepStrictEqual(before, schema)) merged[name] = schema
    else merged[name] = adds ? { allOf: [before, schema] } : { ...objectOf(before), ...objectOf(schema) }
  }
  return merged
}
