import { z } from '@hono/zod-openapi'
import { type TextReader, textReader } from './typed-text.ts'

type Schema = z.core.$ZodType

/** The schemas that a field may have to fit, past every wrapper: of one value, of each in a list, of each in a set. */
export interface Alternatives {
  readonly one: readonly Schema[]
  readonly list: readonly Schema[]
  readonly set: readonly Schema[]
}

/** How the values of a field are read: alone, in a list, in a set, where it takes them so. */
export interface Field {
  readonly one: TextReader
  readonly list: TextReader | undefined
  readonly set: TextReader | undefined
}

/** @returns how a field is read; nothing where the schema knows no such name */
export type Fields = (name: string) => Field | undefined

/**
 * Finds how each field of a query, a form or other parameters is read, through every wrapper that zod has.
 *
 * @param schema of the whole object
 */
export function fieldsOf(schema: Schema): Fields {
  const known = new Map<string, Field>() // by the names of the schema's own: all others are the caller's
  const others = fieldOf(partsOf(schema, undefined))
  for (const name of namesIn(schema)) {
    const field = fieldOf(partsOf(schema, name))
    if (field) known.set(name, field)
  }
  return (name) => known.get(name) ?? others
}

function fieldOf(parts: readonly Schema[]): Field | undefined {
  if (parts.length === 0) return undefined
  const { one, list, set } = parts.map((part) => alternativesOf(part)).reduce(either)
  return {
    one: textReader(one),
    list: list.length > 0 ? textReader(list) : undefined,
    set: set.length > 0 ? textReader(set) : undefined,
  }
}

/** The names that an object's schema knows, in every variant. */
export function namesIn(schema: Schema, seen = new Set<Schema>()): Set<string> {
  if (seen.has(schema)) return new Set()
  seen.add(schema)
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'object') return new Set(Object.keys(def.shape))
  return new Set(inside(schema).flatMap((part) => [...namesIn(part, seen)]))
}

/**
 * The schemas that stand for a name in an object: several in a union, or where objects are joined.
 *
 * @param name of those that the schema does not know, if absent
 */
export function partsOf(schema: Schema, name: string | undefined, seen = new Set<Schema>()): Schema[] {
  if (seen.has(schema)) return []
  seen.add(schema)
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'record') return [def.valueType]
  if (def.type !== 'object') return inside(schema).flatMap((part) => partsOf(part, name, seen))
  if (name !== undefined && Object.hasOwn(def.shape, name)) return [def.shape[name] as Schema]
  return def.catchall && def.catchall._zod.def.type !== 'never' ? [def.catchall] : []
}

/** The parts of an object's schema: also of one that is transformed, preprocessed, wrapped, or joined with another. */
export function shapeOf(schema: unknown): Readonly<Record<string, z.ZodType>> {
  if (schema instanceof z.ZodObject) return schema.def.shape
  if (!(schema instanceof z.core.$ZodType) || schema instanceof z.core.$ZodUnion) return {}
  return Object.assign({}, ...inside(schema).map(shapeOf))
}

/** What a schema takes where it stands for a field. */
export function alternativesOf(schema: Schema, above: readonly Schema[] = []): Alternatives {
  if (above.includes(schema)) return { one: [], list: [], set: [] }
  const { def } = (schema as z.core.$ZodTypes)._zod
  const path = [...above, schema]
  const itemsOf = (items: readonly Schema[]) => items.flatMap((item) => alternativesOf(item, path).one)
  switch (def.type) {
    case 'array':
      return { one: [], list: itemsOf([def.element]), set: [] }
    case 'tuple':
      return { one: [], list: itemsOf(def.rest ? [...def.items, def.rest] : def.items), set: [] }
    case 'set':
      return { one: [], list: [], set: itemsOf([def.valueType]) }
    case 'any':
    case 'unknown':
    case 'custom':
      return { one: [schema], list: [schema], set: [] }
  }
  const parts = inside(schema)
  if (parts.length === 0) return { one: [schema], list: [], set: [] }
  const found = parts
    .map((part) => alternativesOf(part, path))
    .reduce(def.type === 'intersection' ? both : either)
  if (def.type === 'nullable') return { ...found, one: [...found.one, z.null()] }
  const isPreprocessed = def.type === 'pipe' && def.in._zod.def.type === 'transform'
  // what is preprocessed to a list may come as one text: 'a,b'
  return isPreprocessed && found.one.length === 0 ? { ...found, one: [def.in] } : found
}

/** What takes the same value as a wrapper, a union, an intersection, a lazy schema or a pipe. */
export function inside(schema: Schema): readonly Schema[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'union') return def.options
  if (def.type === 'intersection') return [def.left, def.right]
  if (def.type === 'lazy') return [(schema as z.core.$ZodLazy)._zod.innerType]
  if (def.type === 'pipe') return [def.in._zod.def.type === 'transform' ? def.out : def.in]
  return 'innerType' in def ? [def.innerType] : []
}

function both(a: Alternatives, b: Alternatives): Alternatives {
  const join = (left: readonly Schema[], right: readonly Schema[]) =>
    left.length > 0 && right.length > 0 ? [...left, ...right] : []
  return { one: join(a.one, b.one), list: join(a.list, b.list), set: join(a.set, b.set) }
}

function either(a: Alternatives, b: Alternatives): Alternatives {
  return { one: [...a.one, ...b.one], list: [...a.list, ...b.list], set: [...a.set, ...b.set] }
}
