import { z } from '@hono/zod-openapi'

type Schema = z.core.$ZodType

/** Converts one text (or file) to the value that a schema takes. */
export interface ValueReader {
  /** Whether the value, once it is read, has a type that the schema takes. */
  readonly takes: (value: unknown) => boolean
  readonly read: (value: unknown) => unknown
}

/** A number, a boolean or null, as JSON writes it. */
const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/

/**
 * Creates the reader of a parameter or a form's field. It converts the text to the type that the schema takes: for
 * `z.int()`, the text `5` becomes a number. The text must be as JSON writes it, which is what the contract says: `-0.5`,
 * `1e3`, `true`. An empty text, ` 5 `, `0x10` and `05` stay text, and the schema refuses them. If the schema takes text
 * too, the value stays text.
 *
 * @param alternatives the schemas of a single value, without wrappers
 */
export function valueReader(alternatives: readonly Schema[]): ValueReader {
  const typed = new Set(alternatives.flatMap(typedKindsOf))
  const texts = alternatives.filter((schema) => !onlyTyped.has(schema._zod.def.type))
  const isOpen = texts.some((schema) => !closed.has(schema._zod.def.type))
  const takesFiles = alternatives.some(takesFile)

  function isText(text: string): boolean {
    return isOpen || texts.some((schema) => z.safeParse(schema, text).success)
  }
  function readTyped(text: string): unknown {
    const value: unknown = scalar.test(text) ? JSON.parse(text) : undefined
    return value !== undefined && typed.has(value === null ? 'null' : typeof value) ? value : text
  }
  return {
    takes: (value) => (typeof value === 'string' ? isText(value) || readTyped(value) !== value : takesFiles),
    read: (value) =>
      typed.size === 0 || typeof value !== 'string' || isText(value) ? value : readTyped(value),
  }
}

/** Kinds of schemas that take no text. */
const onlyTyped = new Set<string>(['number', 'boolean', 'null', 'file', 'undefined', 'never'])
/** Kinds of schemas that take certain texts only. Parsing tells which. */
const closed = new Set<string>(['string', 'template_literal', 'enum', 'literal'])
const files = new Set<string>(['file', 'any', 'unknown', 'custom', 'transform'])

/** Whether a schema takes files. */
export function takesFile(schema: Schema): boolean {
  return files.has(schema._zod.def.type)
}

/** The types of values other than text that a schema takes, as `typeof` names them, or `null`. */
function typedKindsOf(schema: Schema): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'number' || def.type === 'boolean' || def.type === 'null') return [def.type]
  if (def.type !== 'literal' && def.type !== 'enum') return []
  const values = [...(schema._zod.values ?? [])].map((value) => (value === null ? 'null' : typeof value))
  return values.filter((kind) => kind !== 'string' && kind !== 'undefined')
}
