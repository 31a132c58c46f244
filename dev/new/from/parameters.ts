import { below, follow, type Json, listOf, objectOf, textOf } from './document.ts'
import { typesOf } from './merge.ts'
import type { Notes } from './notes.ts'
import type { Part, Uses } from './operation.ts'
import type { SchemaBook } from './schema-book.ts'
import { type ListInText, listMark, plainMark } from './scope.ts'
import { quote } from './words.ts'

/** What the parts of a route are read with. */
export interface Reading {
  readonly document: Json
  readonly notes: Notes
  readonly book: SchemaBook
  /** The start of the names of its schemas: `ListPets`. */
  readonly pascal: string
  readonly uses: Uses
}

/** A part of `request`: its code, and what a test sends. */
export interface RequestPart {
  readonly code: string
  readonly part: Part
}

/** Headers that OpenAPI tells readers to ignore, because other things say them. */
const ignored = new Set(['authorization', 'content-type', 'accept'])

const carriers = [
  { in: 'path', key: 'params', name: 'Params' },
  { in: 'query', key: 'query', name: 'Query' },
  { in: 'header', key: 'headers', name: 'Headers' },
  { in: 'cookie', key: 'cookies', name: 'Cookies' },
] as const

/**
 * Reads the parameters of an operation, its path's and its own: an object for each place.
 *
 * @param lists the parameters of the path and of the operation, each with its place
 * @param path the path, whose parameters must all be stated
 */
export function readParameters(
  lists: readonly (readonly [list: unknown, place: string])[],
  path: string,
  reading: Reading,
): RequestPart[] {
  const { document, notes, book, pascal, uses } = reading
  const found = new Map<string, { parameter: Json; place: string }>()
  for (const [list, place] of lists)
    listOf(list).forEach((given, index) => {
      const parameter = follow(document, given)
      const name = parameter.in === 'header' ? String(parameter.name).toLowerCase() : String(parameter.name)
      found.set(`${parameter.in} ${name}`, { parameter: { ...parameter, name }, place: below(place, index) })
    })
  const names = [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name = '']) => name)
  for (const name of names)
    if (!found.has(`path ${name}`)) {
      notes.add(`the path ${path}`, `the parameter {${name}} is not stated: it is taken as text`)
      found.set(`path ${name}`, { parameter: { in: 'path', name, required: true }, place: path })
    }
  return carriers.flatMap(({ in: where, key, name: suffix }) => {
    const all = [...found.values()].filter(({ parameter }) => parameter.in === where)
    const kept = all.filter(({ parameter, place }) => isKept(parameter, names, place, notes))
    if (kept.length === 0) return []
    const constant = book.add(`${pascal}${suffix}`, objectFor(kept, where, reading), {
      ...{ place: kept[0]?.place.replace(/\/\d+$/, '') ?? '', use: 'request', isPublic: false },
    })
    uses.schemas.add(constant)
    return [{ code: `${key}: ${constant}`, part: { kind: key, schema: constant } }]
  })
}

function isKept(parameter: Json, names: readonly string[], place: string, notes: Notes): boolean {
  const name = String(parameter.name)
  if (parameter.in === 'header' && ignored.has(name)) return false
  if (parameter.in !== 'path' || names.includes(name)) return true
  notes.add(place, 'the path does not have this parameter: it is left out')
  return false
}

function objectFor(
  all: readonly { parameter: Json; place: string }[],
  where: string,
  { document, notes }: Reading,
): Json {
  const properties = all.map(({ parameter, place }) => {
    const { description, schema: stated } = parameter
    if (parameter.content !== undefined)
      notes.add(place, '`content` of a parameter is taken as text: parse it in .transform()')
    const example = parameter.example ?? objectOf(Object.values(objectOf(parameter.examples))[0]).value
    const schema = parameter.content === undefined ? objectOf(stated) : { type: 'string' }
    const read = readStyle(parameter, schema, follow(document, schema), place, where, notes)
    const shown = { ...(textOf(description) && { description }), ...(example !== undefined && { example }) }
    return [parameter.name, { ...read, ...shown }]
  })
  const required = all.filter(({ parameter }) => where === 'path' || parameter.required === true)
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: required.map(({ parameter }) => parameter.name),
    ...(where === 'query' ? { additionalProperties: false } : { [plainMark]: true }),
  }
}

const separators: Readonly<Record<string, string>> = {
  spaceDelimited: ' ',
  pipeDelimited: '|',
  tabDelimited: '\t',
}

function readStyle(
  parameter: Json,
  schema: Json,
  found: Json,
  place: string,
  where: string,
  notes: Notes,
): Json {
  const types = typesOf(found)
  const { default: fallback, ...bare } = schema
  const own = where === 'path' ? bare : fallback === undefined ? schema : { ...bare, default: fallback }
  if (types.includes('object') || found.allOf || parameter.style === 'deepObject') {
    notes.add(
      place,
      'an object in a parameter is taken as text: take its keys one by one, or parse it in .transform()',
    )
    return { type: 'string' }
  }
  if (!types.includes('array')) return own
  const style = String(parameter.style ?? (where === 'query' || where === 'cookie' ? 'form' : 'simple'))
  const explode = parameter.explode ?? style === 'form'
  if (where === 'query' && style === 'form' && explode === true) return own
  return separated(found, separators[style] ?? ',', place, notes)
}

/** A list in one text, such as `a,b`: its pattern says what the elements are. */
function separated(schema: Json, separator: string, place: string, notes: Notes): Json {
  const items = objectOf(schema.items)
  const escaped = (text: string) => text.replaceAll(/[$()*+.?[\\\]^{|}/]/g, '\\$&')
  const [type = 'string'] = typesOf(items)
  const limits = Object.keys(items).filter(
    (key) =>
      !/^(type|enum|description|default|example)$/.test(key) && !(key === 'format' && type !== 'string'),
  )
  const between = escaped(separator)
  const patterns: Readonly<Record<string, string>> = {
    integer: '-?(?:0|[1-9]\\d*)',
    number: '-?(?:0|[1-9]\\d*)(?:\\.\\d+)?',
    boolean: '(?:true|false)',
  }
  const options = listOf(items.enum).map((option) => escaped(String(option)))
  const one = options.length > 0 ? `(?:${options.join('|')})` : patterns[type]
  const unchecked = [...limits, ...['minItems', 'maxItems', 'uniqueItems'].filter((word) => word in schema)]
  if (unchecked.length > 0)
    notes.add(
      place,
      `a list in one text: ${unchecked.join(', ')} of it are not checked: check them in the handler`,
    )
  notes.add(place, `a list in one text (${JSON.stringify(`a${separator}b`)}) is split in .transform()`)
  const read =
    type === 'integer' || type === 'number'
      ? '.map(Number)'
      : type === 'boolean'
        ? ".map((part) => part === 'true')"
        : ''
  const comment = `The document also states ${unchecked.join(', ')} of the list, which are not checked here`
  const mark: ListInText = {
    [listMark]: {
      ...(one && { pattern: `^${one}(?:${between}${one})*$` }),
      transform: `.transform((text) => text.split(${quote(separator)})${read})`,
      ...(unchecked.length > 0 && { comment }),
    },
  }
  return { type: 'string', ...mark }
}
