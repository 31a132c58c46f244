import { z } from '@hono/zod-openapi'

type Read = (value: unknown) => unknown

/** What JSON writes of a number, a boolean or null. */
const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/

/**
 * Makes what reads the text of parameters and of a form's fields as the values that their schemas take: for `z.int()`
 * the text `5` is the number. The text is read as JSON writes it, which is what the contract says: `-0.5`, `1e3`,
 * `true`; never an empty text, ` 5 `, `0x10` or `05`, which stay text. Where a schema takes text as well, text goes first.
 *
 * @param schema of an object whose values are text, or lists of it
 * @returns what changes the values of such an object, and returns it
 */
export function typedText(schema: z.core.$ZodType) {
  const readers = Object.entries(shapeOf(schema)).flatMap(([name, part]): [string, Read][] => {
    const read = readerOf(part)
    return read ? [[name, read]] : []
  })
  return function read<Values extends Record<string, unknown>>(values: Values): Values {
    for (const [name, read] of readers) {
      const value = values[name]
      if (value !== undefined) Reflect.set(values, name, read(value))
    }
    return values
  }
}

/** The parts of an object's schema: also of one that is refined, transformed or preprocessed. */
export function shapeOf(schema: unknown): Readonly<Record<string, z.ZodType>> {
  if (schema instanceof z.ZodObject) return schema.def.shape
  if (!(schema instanceof z.ZodPipe)) return {}
  return shapeOf(schema.def.in instanceof z.ZodTransform ? schema.def.out : schema.def.in)
}

function readerOf(schema: z.core.$ZodType): Read | undefined {
  const items = [...itemsOf(schema)].map(readerOf).find((read) => read !== undefined)
  const kinds = new Set(kindsOf(schema))
  const typed = kinds.has('number') || kinds.has('boolean') || kinds.has('null')
  if (!items && !typed) return undefined
  const mixed = kinds.has('string')
  return function read(value) {
    if (Array.isArray(value)) return items ? value.map(items) : value
    if (!typed || typeof value !== 'string' || !scalar.test(value)) return value
    return mixed && z.safeParse(schema, value).success ? value : JSON.parse(value)
  }
}

/** The kinds of values that a schema takes, as `typeof` names them; a list's are not among them. */
function* kindsOf(schema: z.core.$ZodType): Generator<string> {
  const { type } = schema._zod.def
  const inside = [...insideOf(schema)]
  if (inside.length > 0) for (const inner of inside) yield* kindsOf(inner)
  else if (type === 'literal' || type === 'enum')
    for (const value of schema._zod.values ?? []) yield value === null ? 'null' : typeof value
  else if (type !== 'array' && type !== 'tuple')
    yield ['number', 'boolean', 'null'].includes(type) ? type : 'string'
  if (type === 'nullable') yield 'null'
}

/** The schemas of a list's items, wherever the list stands. */
function* itemsOf(schema: z.core.$ZodType): Generator<z.core.$ZodType> {
  if (schema instanceof z.core.$ZodArray) yield schema._zod.def.element
  for (const inner of insideOf(schema)) yield* itemsOf(inner)
}

/** The schemas that take the same value as this one: in a wrapper, a union, before a transformation. */
function* insideOf(schema: z.core.$ZodType): Generator<z.core.$ZodType> {
  if (schema instanceof z.core.$ZodUnion) yield* schema._zod.def.options
  else if (schema instanceof z.core.$ZodIntersection) yield schema._zod.def.left
  else if (schema instanceof z.core.$ZodPipe) {
    if (!(schema._zod.def.in instanceof z.core.$ZodTransform)) yield schema._zod.def.in
  } else if ('innerType' in schema._zod.def) yield schema._zod.def.innerType as z.core.$ZodType
}
