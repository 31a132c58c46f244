import { z } from '@hono/zod-openapi'
import { takesFile, type ValueReader, valueReader } from './value-reader.ts'

type Schema = z.core.$ZodType

/** The schemas that a field may have to fit, without their wrappers. */
export interface Alternatives {
  /** For a single value. */
  readonly one: readonly Schema[]
  /** For the first values of a list, by position: those of a tuple. */
  readonly first: readonly (readonly Schema[])[]
  /** For the other values of a list. */
  readonly list: readonly Schema[]
  readonly set: readonly Schema[]
}

/** How the values of a field are read: as a single value, as a list, as a set. */
export interface Field {
  readonly one: ValueReader
  readonly list: ((values: readonly unknown[]) => unknown[]) | undefined
  readonly set: ValueReader | undefined
  readonly takesFiles: boolean
}

/** Finds how a field is read, by its name. Returns `undefined` if the schema does not know the name. */
export type Fields = (name: string) => Field | undefined

/**
 * Finds how to read each field of a query, a form or other parameters. It looks inside all of zod's wrappers.
 *
 * @param schema of the whole object
 */
export function fieldsOf(schema: Schema): Fields {
  const known = new Map<string, Field>() // only names of the schema: a caller could send any number of others
  const others = fieldOf(partsOf(schema, undefined))
  for (const name of namesIn(schema)) {
    const field = fieldOf(partsOf(schema, name))
    if (field) known.set(name, field)
  }
  return (name) => known.get(name) ?? others
}

function fieldOf(parts: readonly Schema[]): Field | undefined {
  if (parts.length === 0) return undefined
  const found = parts.map((part) => alternativesOf(part)).reduce(joinEither)
  const { one, first, list, set } = found
  const readers = first.map(valueReader)
  const others = valueReader(list)
  return {
    one: valueReader(one),
    list: hasList(found)
      ? (values) => values.map((value, index) => (readers[index] ?? others).read(value))
      : undefined,
    set: set.length > 0 ? valueReader(set) : undefined,
    takesFiles: [one, ...first, list, set].flat().some(takesFile),
  }
}

/** The names that an object's schema knows, in all its variants. */
export function namesIn(schema: Schema, seen = new Set<Schema>()): Set<string> {
  if (seen.has(schema)) return new Set()
  seen.add(schema)
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'object') return new Set(Object.keys(def.shape))
  return new Set(innerSchemas(schema).flatMap((part) => [...namesIn(part, seen)]))
}

/**
 * The schemas of a name in an object. There may be several in a union or an intersection.
 *
 * @param name if absent, the schemas for names that the object's schema does not know
 */
export function partsOf(schema: Schema, name: string | undefined, seen = new Set<Schema>()): Schema[] {
  if (seen.has(schema)) return []
  seen.add(schema)
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'record') return [def.valueType]
  if (def.type === 'intersection') {
    const [left, right] = [partsOf(def.left, name, seen), partsOf(def.right, name, seen)]
    const isBoth = left.length > 0 && right.length > 0
    return isBoth ? [z.intersection(z.union(left), z.union(right))] : [...left, ...right]
  }
  if (def.type !== 'object') return innerSchemas(schema).flatMap((part) => partsOf(part, name, seen))
  if (name !== undefined && Object.hasOwn(def.shape, name)) return [def.shape[name] as Schema]
  return def.catchall && def.catchall._zod.def.type !== 'never' ? [def.catchall] : []
}

/** The properties of an object's schema, also if it is transformed, preprocessed, wrapped, or part of an intersection. */
export function shapeOf(schema: unknown): Readonly<Record<string, z.ZodType>> {
  if (schema instanceof z.ZodObject) return schema.def.shape
  if (!(schema instanceof z.core.$ZodType) || schema instanceof z.core.$ZodUnion) return {}
  return Object.assign({}, ...innerSchemas(schema).map(shapeOf))
}

/** The schemas that a field with this schema may have to fit. */
export function alternativesOf(schema: Schema, above: readonly Schema[] = []): Alternatives {
  const none: Alternatives = { one: [], first: [], list: [], set: [] }
  if (above.includes(schema)) return none
  const { def } = (schema as z.core.$ZodTypes)._zod
  const path = [...above, schema]
  const itemsOf = (item: Schema) => alternativesOf(item, path).one
  switch (def.type) {
    case 'array':
      return { ...none, list: itemsOf(def.element) }
    case 'tuple':
      return { ...none, first: def.items.map(itemsOf), list: def.rest ? itemsOf(def.rest) : [] }
    case 'set':
      return { ...none, set: itemsOf(def.valueType) }
    case 'any':
    case 'unknown':
    case 'custom':
      return { ...none, one: [schema], list: [schema] }
  }
  const parts = innerSchemas(schema)
  if (parts.length === 0) return { ...none, one: [schema] }
  const found = parts
    .map((part) => alternativesOf(part, path))
    .reduce(def.type === 'intersection' ? joinBoth : joinEither)
  if (def.type === 'nullable') return { ...found, one: [...found.one, z.null()] }
  const isPreprocessed = def.type === 'pipe' && def.in._zod.def.type === 'transform'
  // a list that is made by z.preprocess() may be sent as one text: 'a,b'
  return isPreprocessed && found.one.length === 0 ? { ...found, one: [def.in] } : found
}

/** The schemas inside a wrapper, a union, an intersection, a lazy schema or a pipe, which get the same value. */
export function innerSchemas(schema: Schema): readonly Schema[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'union') return def.options
  if (def.type === 'intersection') return [def.left, def.right]
  if (def.type === 'lazy') return [(schema as z.core.$ZodLazy)._zod.innerType]
  if (def.type === 'pipe') return [def.in._zod.def.type === 'transform' ? def.out : def.in]
  return 'innerType' in def ? [def.innerType] : []
}

function joinBoth(a: Alternatives, b: Alternatives): Alternatives {
  const join = (left: readonly Schema[], right: readonly Schema[]) =>
    left.length > 0 && right.length > 0 ? [...left, ...right] : []
  const isList = hasList(a) && hasList(b)
  const list = { first: isList ? firstOf(a, b) : [], list: isList ? [...a.list, ...b.list] : [] }
  return { one: join(a.one, b.one), ...list, set: join(a.set, b.set) }
}

function joinEither(a: Alternatives, b: Alternatives): Alternatives {
  return {
    one: [...a.one, ...b.one],
    first: firstOf(a, b),
    list: [...a.list, ...b.list],
    set: [...a.set, ...b.set],
  }
}

function firstOf(a: Alternatives, b: Alternatives): Schema[][] {
  const count = Math.max(a.first.length, b.first.length)
  return Array.from({ length: count }, (_none, index) => [
    ...(a.first[index] ?? a.list),
    ...(b.first[index] ?? b.list),
  ])
}

/** Whether a list is accepted. */
export function hasList({ first, list }: Alternatives): boolean {
  return first.length + list.length > 0
}
