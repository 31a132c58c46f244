import { compileFunction } from 'node:vm'
import { file, z } from '#runtime'
import {
  componentOf,
  componentPlace,
  DocumentError,
  isJson,
  type Json,
  listOf,
  lookUp,
  objectOf,
  textOf,
} from './document.ts'
import type { Notes } from './notes.ts'
import { prepare } from './prepare.ts'
import { docComment, printSchema } from './print.ts'
import { type LookUp, sampleOf } from './sample.ts'
import type { Use } from './scope.ts'
import { createNames, literal, pascalOf } from './words.ts'

/** A schema of the document that gets a name in the code. */
interface Entry {
  readonly constant: string
  readonly schema: unknown
  readonly place: string
  readonly files: boolean
  /** Whether the contract shows it by its name. */
  readonly isPublic: boolean
  readonly examples: readonly unknown[]
  use: Use
  prepared: Json
}

/** What a schema is added with. */
export interface Addition {
  readonly place: string
  readonly use: 'request' | 'response'
  readonly files?: boolean
  readonly isPublic?: boolean
  readonly examples?: readonly unknown[]
}

/** A schema as it was written. */
export interface Written {
  readonly constant: string
  readonly code: string
  readonly isPublic: boolean
  /** A value that it takes; `undefined` if none was found. */
  readonly example: unknown
  /** A value for each of its properties, whether or not the whole is taken: a form's files are no values. */
  readonly fields: Json | undefined
  readonly schema: z.ZodType
}

/** Collects the schemas of a feature, and writes them. */
export type SchemaBook = ReturnType<typeof createSchemaBook>

/**
 * Creates the collection.
 *
 * @param prefixName what a name gets that cannot be as it is, such as `Error`
 */
export function createSchemaBook(document: Json, notes: Notes, prefixName: string) {
  const entries = new Map<string, Entry>()
  const name = createNames()

  /**
   * Adds a schema of a request or a response.
   *
   * @param wanted its name, if it has none in the document
   * @returns the constant's name
   */
  function add(wanted: string, schema: unknown, { use, place, ...more }: Addition): string {
    const { $ref, ...siblings } = objectOf(schema)
    const component =
      typeof $ref === 'string' && Object.keys(siblings).length === 0 ? componentOf($ref) : undefined
    const uses: Use = { request: use === 'request', response: use === 'response' }
    if (component !== undefined && !more.files) {
      touch(component, uses)
      return entryOf(component).constant
    }
    const constant = name(wanted, `${prefixName}${wanted}`)
    const isPublic = more.isPublic ?? true
    const inlined = component !== undefined && more.files ? lookUp(document, String($ref)) : schema
    const examples = [...(more.examples ?? []), ...examplesOf(schema)]
    entries.set(`~${constant}`, {
      constant,
      schema: inlined,
      place,
      files: more.files ?? false,
      isPublic,
      examples,
      use: uses,
      prepared: {},
    })
    for (const found of referencesIn(inlined)) touch(found, uses)
    return constant
  }

  function entryOf(component: string): Entry {
    const there = entries.get(component)
    if (there) return there
    const schema = lookUp(document, componentPlace(component))
    const wanted = pascalOf(component)
    const constant = name(wanted, `${prefixName}${wanted}`)
    if (constant !== component) notes.add(componentPlace(component), `the schema is named ${constant}`)
    const entry: Entry = {
      ...{ constant, schema, place: componentPlace(component), files: false, isPublic: true },
      ...{ examples: examplesOf(schema), use: { request: false, response: false }, prepared: {} },
    }
    entries.set(component, entry)
    return entry
  }

  /** Notes that a schema, and those inside, are used in a direction. */
  function touch(component: string, use: Use): void {
    const entry = entryOf(component)
    const both = { request: entry.use.request || use.request, response: entry.use.response || use.response }
    if (both.request === entry.use.request && both.response === entry.use.response) return
    entry.use = both
    for (const found of referencesIn(entry.schema)) touch(found, use)
  }

  /** Writes all schemas, each after those that it uses, and finds an example of each. */
  function write(): Written[] {
    const order = sortedKeys()
    const lookUpPrepared = (key: string) => entries.get(key)?.prepared ?? {}
    const printed = order.map((key, index) => {
      const entry = entries.get(key) as Entry
      const { 'x-openapi': shown, default: _default, ...bare } = entry.prepared
      const isLater = (other: string) => order.indexOf(other) >= index
      const { code, comments } = printSchema(bare, { constOf: (other) => entryOf(other).constant, isLater })
      return { key, entry, code, comments, shown: objectOf(shown) }
    })
    const schemas = evaluate(printed.map(({ entry, code }) => [entry.constant, code]))
    return printed.map(({ entry, code, comments, shown }) => {
      const { constant, isPublic, examples, prepared, place } = entry
      const schema = schemas[constant] as z.ZodType
      const candidates = [
        ...examples,
        ...[true, false].map((isFull) => sampleOf(prepared, lookUpPrepared, { isFull })),
      ]
      const example = candidates.find(
        (candidate) => candidate !== undefined && schema.safeParse(candidate).success,
      )
      const hasFile = JSON.stringify(prepared).includes('"x-file"')
      if (example === undefined && isPublic && !hasFile)
        notes.add(place, 'no example was found that the schema takes: write one, by .openapi({ example })')
      const more = { ...shown, ...(example !== undefined && { example }) }
      const openapi =
        isPublic && !hasFile
          ? `.openapi(${literal(constant)}${Object.keys(more).length > 0 ? `, ${literal(more)}` : ''})`
          : Object.keys(shown).length > 0
            ? `.openapi(${literal(shown)})`
            : ''
      const doc = docComment([
        textOf(shown.description) ?? `${constant}: ${place} of the document.`,
        ...comments,
      ])
      return {
        constant,
        code: `${doc}\nexport const ${constant} = ${code}${openapi}`,
        isPublic,
        example,
        fields: sampleFields(prepared, lookUpPrepared),
        schema,
      }
    })
  }

  /** The keys of all schemas that are used, in an order of which each uses only those before it, if it can be. */
  function sortedKeys(): string[] {
    const sorted: string[] = []
    const seen = new Set<string>()
    const visit = (key: string) => {
      if (seen.has(key)) return
      seen.add(key)
      const entry = key.startsWith('~') ? entries.get(key) : entryOf(key)
      if (!entry) return
      const { use, files, schema, place } = entry
      entry.prepared = prepare(schema, place, { document, notes, use, files, strict: true, inside: [] })
      for (const used of preparedReferences(entry.prepared)) visit(used)
      sorted.push(key)
    }
    for (const key of [...entries.keys()].filter((key) => key.startsWith('~') || roots.has(key))) visit(key)
    return sorted
  }

  const roots = new Set<string>()
  return {
    write,
    add(wanted: string, schema: unknown, addition: Addition): string {
      const constant = add(wanted, schema, addition)
      for (const [key, entry] of entries) if (entry.constant === constant) roots.add(key)
      return constant
    },
  }
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const { $ref } = value as Json
  const own = typeof $ref === 'string' ? [componentOf($ref)] : []
  return [...own, ...Object.values(value).flatMap(referencesIn)].filter((name) => name !== undefined)
}

function preparedReferences(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const { 'x-ref': name, enum: _enum, const: _const, default: _default, ...rest } = value as Json
  return [...(typeof name === 'string' ? [name] : []), ...Object.values(rest).flatMap(preparedReferences)]
}

function examplesOf(schema: unknown): unknown[] {
  const { example, examples, 'x-example': extension } = objectOf(schema)
  return [example, extension, ...listOf(examples)].filter((one) => one !== undefined)
}

function sampleFields(prepared: Json, lookUpPrepared: LookUp): Json | undefined {
  const sample = sampleOf(prepared, lookUpPrepared, { isFull: true })
  return isJson(sample) ? sample : undefined
}

/** Runs the code of the schemas, to try values on them. */
function evaluate(codes: readonly (readonly [constant: string, code: string])[]): Record<string, unknown> {
  const body = codes.map(
    ([constant, code]) => `const ${constant} = ${code.replaceAll('(): z.ZodType =>', '() =>')}\n`,
  )
  const names = codes.map(([constant]) => constant).join(', ')
  try {
    return compileFunction(`${body.join('')}return { ${names} }`, ['z', 'file'])(z, file)
  } catch (cause) {
    throw new DocumentError(`The schemas cannot be written: ${(cause as Error).message}`, { cause })
  }
}
