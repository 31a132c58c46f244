import { z } from '@hono/zod-openapi'

type Schema = z.core.$ZodType

/** Reads one text (or file) as a schema takes it. */
export interface TextReader {
  /** Whether it can be what the schema takes; a text that is read is. */
  readonly takes: (value: unknown) => boolean
  readonly read: (value: unknown) => unknown
}

/** What JSON writes of a number, a boolean or null. */
const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/

/**
 * Makes what reads the text of a parameter or of a form's field as the value that its schema takes: for `z.int()` the
 * text `5` is the number. The text is read as JSON writes it, which is what the contract says: `-0.5`, `1e3`, `true`;
 * never an empty text, ` 5 `, `0x10` or `05`. These stay text, for the schema to refuse. Where a schema takes text as
 * well, text goes first.
 *
 * @param alternatives schemas of one value, without wrappers
 */
export function textReader(alternatives: readonly Schema[]): TextReader {
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

/** Kinds of schemas that take no text as it is. */
const onlyTyped = new Set<string>(['number', 'boolean', 'null', 'file', 'undefined', 'never'])
/** Kinds of schemas that take some texts, and may be asked which. */
const closed = new Set<string>(['string', 'template_literal', 'enum', 'literal'])
const files = new Set<string>(['file', 'any', 'unknown', 'custom', 'transform'])

/** Whether a schema of one value takes files. */
export function takesFile(schema: Schema): boolean {
  return files.has(schema._zod.def.type)
}

/** The kinds of values that a schema takes and text is not, as `typeof` names them, or `null`. */
function typedKindsOf(schema: Schema): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'number' || def.type === 'boolean' || def.type === 'null') return [def.type]
  if (def.type !== 'literal' && def.type !== 'enum') return []
  const values = [...(schema._zod.values ?? [])].map((value) => (value === null ? 'null' : typeof value))
  return values.filter((kind) => kind !== 'string' && kind !== 'undefined')
}
