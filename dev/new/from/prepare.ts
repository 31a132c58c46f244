import { below, componentOf, DocumentError, type Json, listOf, lookUp, objectOf, textOf } from './document.ts'
import { isLimit, mergeParts, spreadAlternatives, typesOf } from './merge.ts'
import { prepareList, prepareNumber, prepareText } from './prepare-values.ts'
import { listInText, plainMark, type Scope, type Use } from './scope.ts'

/** Keywords that zod or a contract of ours does not have. */
const unsupported = [
  ...['not', 'if', 'then', 'else', 'dependentSchemas', 'dependentRequired', 'dependencies', 'propertyNames'],
  ...[
    'patternProperties',
    'contains',
    'minContains',
    'maxContains',
    'unevaluatedProperties',
    'unevaluatedItems',
  ],
]

/**
 * Rewrites a schema so that zod's `fromJSONSchema` makes of it what a route may state. What zod does not know is marked for
 * `printSchema`: `x-ref` is a named schema, `x-plain` an object that drops unknown keys, `x-file` a file, `x-openapi` what
 * the contract shows beside, `x-after` code behind the schema, and `x-comments` what is not checked.
 *
 * @param place where it is in the document, for the notes
 */
export function prepare(schema: unknown, place: string, scope: Scope): Json {
  if (schema === false) return { not: {} }
  const { $ref, 'x-nullable': isNullable, ...given } = objectOf(schema)
  if (isNullable === true && !typesOf(given).includes('null')) {
    const { description, default: fallback, ...bare } = given
    const either = { anyOf: [{ ...bare, ...($ref !== undefined && { $ref }) }, { type: 'null' }] }
    return prepare(
      { ...either, ...(description !== undefined && { description, default: fallback }) },
      place,
      scope,
    )
  }
  if (typeof $ref === 'string') return prepareReference($ref, given, place, scope)
  const list = listInText(given)
  if (list) {
    const { pattern, transform, comment } = list
    const text = { type: 'string', 'x-after': [transform], ...(pattern && { pattern }) }
    return addMarks(text, given, comment ? [comment] : [])
  }
  if (plainMark in given)
    return { ...prepareObject(given, place, scope), additionalProperties: {}, 'x-plain': true }
  const comments: string[] = []
  const kept: Json = {}
  for (const [key, value] of Object.entries(given))
    if (unsupported.includes(key)) {
      comments.push(`The document also states \`${key}\`, which is not checked here`)
      scope.notes.add(place, `\`${key}\` is not checked: check it in the handler, or by .refine()`)
      if (key === 'patternProperties') kept.additionalProperties = true
    } else if (!(key in kept)) kept[key] = value
  return addMarks(prepareShape(kept, place, scope), given, comments)
}

function prepareShape(schema: Json, place: string, scope: Scope): Json {
  if ('const' in schema) return { const: schema.const }
  if (Array.isArray(schema.enum)) return prepareEnum(schema, place, scope)
  if (Array.isArray(schema.allOf)) return prepareAll(schema, place, scope)
  for (const word of ['oneOf', 'anyOf'] as const)
    if (Array.isArray(schema[word])) return prepareAlternatives(schema, word, place, scope)
  const types = typesOf(schema)
  if (schema.type === undefined && types.length > 0)
    scope.notes.add(place, `a schema without \`type\` is taken as ${types.join()}: state its type`)
  if (types.length > 1) return { anyOf: types.map((type) => prepareShape({ ...schema, type }, place, scope)) }
  switch (types[0]) {
    case 'object':
      return prepareObject(schema, place, scope)
    case 'array':
      return prepareList(schema, (part, step) => prepare(part, below(place, step), scope), place, scope)
    case 'integer':
    case 'number':
      return prepareNumber(schema, types[0], place, scope)
    case 'boolean':
    case 'null':
      return { type: types[0] }
    default:
      return types[0] === 'string' || 'contentMediaType' in schema || 'contentEncoding' in schema
        ? prepareText(schema, place, scope)
        : {}
  }
}

function prepareReference($ref: string, given: Json, place: string, scope: Scope): Json {
  if (Object.keys(given).some(isLimit))
    return prepare({ ...given, allOf: [{ $ref }, ...listOf(given.allOf)] }, place, scope)
  const component = componentOf($ref)
  if (component !== undefined) return addMarks({ 'x-ref': component }, given, [])
  if (scope.inside.includes($ref))
    throw new DocumentError(`${place}: ${$ref} contains itself: name it in #/components/schemas`)
  return prepare(lookUp(scope.document, $ref), $ref, { ...scope, inside: [...scope.inside, $ref] })
}

function prepareEnum(schema: Json, place: string, { notes }: Scope): Json {
  const options = listOf(schema.enum)
  const types = typesOf(schema)
  const fitting =
    schema.type === undefined ? options : options.filter((option) => types.some((type) => isOf(type, option)))
  if (fitting.length < options.length)
    notes.add(place, 'values of `enum` that its `type` does not take are left out')
  if (types.includes('null') && !options.includes(null))
    notes.add(place, 'null is refused, because `enum` does not list it: add .nullable() if callers send it')
  return { enum: fitting }
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  return type === 'integer' ? Number.isInteger(value) : typeof value === type
}

function prepareAll(schema: Json, place: string, scope: Scope): Json {
  const { allOf, ...own } = schema
  const parts = listOf(allOf)
  const limits = Object.keys(own).filter((key) => isLimit(key) && key !== 'type')
  if (parts.length === 1 && limits.length === 0) return prepare(parts[0], below(place, 'allOf', 0), scope)
  const merged = mergeParts(scope.document, schema, place)
  if (merged) return prepare(merged, place, scope)
  scope.notes.add(place, '`allOf` of what are not all objects takes unknown keys: merge its parts by hand')
  const inner = { ...scope, strict: false }
  const all = Object.keys(own).some(isLimit) ? [...parts, own] : parts
  return {
    allOf: all.map((part, index) => prepare(inlined(part, scope), below(place, 'allOf', index), inner)),
  }
}

/** An object by its content, not by its name: the named one may be strict. */
function inlined(part: unknown, { document }: Scope): unknown {
  const { $ref } = objectOf(part)
  if (typeof $ref !== 'string') return part
  const found = objectOf(lookUp(document, $ref))
  return typesOf(found).includes('object') || 'allOf' in found ? found : part
}

function prepareAlternatives(schema: Json, word: 'anyOf' | 'oneOf', place: string, scope: Scope): Json {
  const { [word]: options, ...base } = schema
  const isBase = Object.keys(base).some((key) => isLimit(key) && key !== 'type')
  const spread = isBase ? spreadAlternatives(scope.document, schema, word, place) : undefined
  if (spread) return { [word]: spread.map((part, index) => prepare(part, below(place, word, index), scope)) }
  const typed = (option: unknown) =>
    schema.type !== undefined && typesOf(objectOf(option)).length === 0 && !('$ref' in objectOf(option))
      ? { ...objectOf(option), type: schema.type }
      : option
  const all = listOf(options).map((option, index) => prepare(typed(option), below(place, word, index), scope))
  if (schema.discriminator !== undefined)
    scope.notes.add(
      place,
      '`discriminator`: the alternatives are tried in turn; z.discriminatedUnion() is quicker',
    )
  if (!isBase) return { [word]: all }
  return { allOf: [{ [word]: all }, prepare(base, place, { ...scope, strict: false })] }
}

function prepareObject(schema: Json, place: string, scope: Scope): Json {
  const { use, notes } = scope
  const stated = objectOf(schema.properties)
  const others = schema.additionalProperties
  const required = listOf(schema.required).map(String)
  const needed = required.filter((name) => !isOneSided(objectOf(stated[name]), use))
  for (const name of required)
    if (!needed.includes(name))
      notes.add(
        below(place, 'properties', name),
        '`readOnly` or `writeOnly`, and required: it may be absent, because one schema serves both ways',
      )
  if (schema.discriminator !== undefined)
    notes.add(
      place,
      '`discriminator` on an object: a reference to it takes only its own properties. List the kinds in `oneOf`',
    )
  const properties: Json = Object.fromEntries(
    Object.entries(stated).map(([name, part]) => [
      name,
      prepare(part, below(place, 'properties', name), { ...scope, strict: true }),
    ]),
  )
  for (const name of needed) if (!Object.hasOwn(properties, name)) properties[name] = {}
  for (const name of required)
    if (!needed.includes(name) && Object.hasOwn(properties, name)) {
      const part = objectOf(properties[name])
      const comment =
        'The document requires it one way, and leaves it out the other way: one schema serves both'
      properties[name] = { ...part, 'x-comments': [...listOf(part['x-comments']), comment] }
    }
  const isMap = Object.keys(properties).length === 0 && others !== false
  const count = countChecks(schema)
  const inner = () => prepare(others, below(place, 'additionalProperties'), { ...scope, strict: true })
  if (isMap && scope.strict)
    return {
      type: 'object',
      additionalProperties: typeof others === 'object' ? inner() : {},
      'x-map': true,
      ...count,
    }
  const base = { type: 'object', properties, required: needed, ...count }
  if (typeof others === 'object') return { ...base, additionalProperties: inner() }
  if (others === true || !scope.strict) return { ...base, additionalProperties: true }
  if (!use.request && others === undefined) return { ...base, 'x-plain': true }
  if (others === undefined)
    notes.add(
      'all objects of requests',
      'an object that says nothing of other keys refuses them: write z.looseObject() where callers send more',
    )
  return { ...base, additionalProperties: false }
}

/** Whether a property belongs to the other direction, so that it cannot be required. */
function isOneSided({ readOnly, writeOnly }: Json, use: Use): boolean {
  return (readOnly === true && use.request) || (writeOnly === true && use.response)
}

function countChecks({ minProperties, maxProperties }: Json): Json {
  const after: string[] = []
  const keys = 'Object.keys(object).length'
  if (typeof minProperties === 'number')
    after.push(`.refine((object) => ${keys} >= ${minProperties}, 'must have ${minProperties} keys at least')`)
  if (typeof maxProperties === 'number')
    after.push(`.refine((object) => ${keys} <= ${maxProperties}, 'may have ${maxProperties} keys at most')`)
  const shown = {
    ...(minProperties !== undefined && { minProperties }),
    ...(maxProperties !== undefined && { maxProperties }),
  }
  return after.length > 0 ? { 'x-after': after, 'x-openapi': shown } : {}
}

/** Adds what is said of a schema: its description, its default, and what is not checked. */
function addMarks(prepared: Json, given: Json, comments: readonly string[]): Json {
  const description = textOf(given.description)
  const all = [...listOf(prepared['x-comments']), ...comments]
  const shown = { ...(description && { description }), ...objectOf(prepared['x-openapi']) }
  return {
    ...prepared,
    ...(all.length > 0 && { 'x-comments': all }),
    ...(Object.keys(shown).length > 0 && { 'x-openapi': shown }),
    ...(given.default !== undefined && given.default !== null && { default: given.default }),
  }
}
