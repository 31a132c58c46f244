import { getOpenApiMetadata } from '@asteasolutions/zod-to-openapi'
import { z } from '@hono/zod-openapi'
import { adviceFor } from './schema-advice.ts'
import { everySchema } from './walk.ts'

/** Whether the caller or the service sends the value. They differ in defaults, transformations and unknown keys. */
export type Direction = 'input' | 'output'

/** An object of the contract. */
export type Json = Record<string, unknown>

/** Writes schemas for one document: see `schemaWriter`. */
export type SchemaWriter = ReturnType<typeof schemaWriter>

const components = '#/components/schemas/'
/** The values of these keys are data, not schemas. */
const data = new Set(['default', 'example', 'examples', 'enum', 'const'])

/**
 * Creates a writer of zod schemas as JSON Schema, exactly as they check. It uses zod's own writer, and adds what
 * `.openapi()` says.
 *
 * @param names the schemas that the contract shows by name. Each is written once; twice, also as `<name>Output`, if what
 * the service sends differs from what it takes
 */
export function schemaWriter(names: ReadonlyMap<string, z.ZodType>) {
  const registry = z.registry<{ id?: string }>()
  for (const [id, schema] of names) registry.add(schema, { id })
  const written = new Map<string, Json>()

  /**
   * @param location where the schema is, for the message
   * @throws {Error} for what JSON cannot hold, naming the location, and what to write instead
   */
  function write(schema: z.ZodType, io: Direction, location: string): Json {
    const name = nameOf(schema)
    if (name === undefined) return inlined(schema, io, location)
    refer(name, io, location)
    return { $ref: `${components}${name}/${io}` }
  }

  function nameOf(schema: z.core.$ZodType): string | undefined {
    return registry.get(schema)?.id
  }

  /** Writes the named schema, unless it is written already. */
  function refer(name: string, io: Direction, location: string): void {
    const schema = names.get(name)
    if (!schema || written.has(`${name}/${io}`)) return
    written.set(`${name}/${io}`, {}) // it may contain itself
    written.set(`${name}/${io}`, inlined(schema, io, location))
  }

  function inlined(schema: z.ZodType, io: Direction, location: string): Json {
    const { $schema, $defs, ...root }: Json = z.toJSONSchema(schema, {
      io,
      metadata: registry,
      unrepresentable: ({ zodSchema, path }) => {
        if (isTold(schema, zodSchema)) return {}
        if (zodSchema._zod.def.type === 'date' && io === 'output')
          return { type: 'string', format: 'date-time' }
        throw new Error(
          `${location} ${dotted(path) || 'the top level'}: ${adviceFor(zodSchema._zod.def.type)}.`,
        )
      },
      override: ({ zodSchema, jsonSchema }) =>
        describe(zodSchema as unknown as z.ZodType, jsonSchema as Json, io),
    })
    const own = nameOf(schema)
    const { id, ...json } = (own && ($defs as Record<string, Json> | undefined)?.[own]) || root
    return references(json, (reference) => {
      const name = reference === '#' ? own : reference.slice('#/$defs/'.length)
      if (name === undefined || !names.has(name)) throw new Error(`${location} ${adviceFor('recursion')}.`)
      refer(name, io, location)
      return `${components}${name}/${io}`
    })
  }

  return { write, finish: () => finish(written) }
}

/** Adds what `.openapi()` says. A `type` in it replaces everything that zod wrote. */
function describe(schema: z.ZodType, json: Json, io: Direction): void {
  const inner = 'innerType' in schema.def ? (schema.def.innerType as z.ZodType) : undefined
  const known: Json = inner ? { ...getOpenApiMetadata(inner) } : {}
  const { param, ...said }: Json = { ...getOpenApiMetadata(schema) }
  if ('type' in said && !('type' in known)) for (const key of Object.keys(json)) delete json[key]
  for (const [key, value] of Object.entries(said)) if (known[key] !== value) json[key] = value
  if (schema.def.type === 'readonly') delete json.readOnly // it means TypeScript's readonly, not OpenAPI's
  if (JSON.stringify(json.propertyNames) === '{"type":"string"}') delete json.propertyNames
  const open = schema instanceof z.ZodObject && !schema.def.catchall
  if (open && io === 'output') delete json.additionalProperties // a later version may send more
}

/** Whether a schema, or one around it, has a type in `.openapi()`. */
function isTold(root: z.ZodType, wanted: z.core.$ZodType): boolean {
  for (const [, schema] of everySchema(root)) {
    if (!('type' in getOpenApiMetadata(schema as z.ZodType))) continue
    if (everySchema(schema).some(([, inner]) => inner === wanted)) return true
  }
  return false
}

/** A path in a JSON Schema as the path of a value: `lines[].sku`. */
function dotted(path: readonly (string | number)[]): string {
  const steps = path.flatMap((step, index) => {
    if (path[index - 1] === 'properties') return [`.${step}`]
    return step === 'items' || step === 'prefixItems' ? ['[]'] : []
  })
  return steps.join('').replace(/^\./, '')
}

/** Copies a schema with renamed references. */
function references(value: Json, rename: (reference: string) => string): Json {
  const visit = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(visit)
    return typeof part === 'object' && part !== null ? references(part as Json, rename) : part
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      if (key === '$ref' && typeof part === 'string') return [key, rename(part)]
      return [key, data.has(key) ? part : visit(part)]
    }),
  )
}

/**
 * Decides the names of the components. A schema that is the same in both directions needs only one name.
 *
 * @returns the components, and a function that replaces the references in a written schema by these names
 */
function finish(written: ReadonlyMap<string, Json>) {
  const twofold = new Set<string>()
  const plain = (json: Json) =>
    JSON.stringify(references(json, (reference) => reference.replace(/\/\w+$/, '')))
  const uses = (json: Json | undefined) =>
    [...JSON.stringify(json ?? {}).matchAll(/schemas\/([^/"]+)\//g)].map(([, name]) => name ?? '')
  const both = [...written.keys()]
    .map((key) => key.split('/')[0] ?? '')
    .filter((name) => written.has(`${name}/input`) && written.has(`${name}/output`))
  for (let before = -1; before < twofold.size; ) {
    before = twofold.size
    for (const name of both) {
      const [input = {}, output = {}] = [written.get(`${name}/input`), written.get(`${name}/output`)]
      if (plain(input) !== plain(output) || uses(input).some((used) => twofold.has(used))) twofold.add(name)
    }
  }
  const nameAt = (key: string) => {
    const [name = '', io] = key.split('/')
    return io === 'output' && twofold.has(name) ? `${name}Output` : name
  }
  const resolve = (json: Json) =>
    references(json, (reference) =>
      reference.startsWith(components) ? components + nameAt(reference.slice(components.length)) : reference,
    )
  for (const name of twofold)
    if (written.has(`${name}Output/input`) || written.has(`${name}Output/output`))
      throw new Error(
        `The contract shows ${name} as ${name}Output where the service sends it, and another schema has that name: ` +
          `rename that one, in .openapi('${name}Output').`,
      )
  return {
    components: new Map([...written].map(([key, json]) => [nameAt(key), resolve(json)])),
    resolve,
  }
}
