import { z } from '@hono/zod-openapi'
import { shapeOf } from '../http/fields.ts'
import { refuseInexact, refusePatterns } from '../schemas/inexact-schemas.ts'
import { type Direction, schemaWriter } from '../schemas/json-schema.ts'
import { isUnrepresentable } from '../schemas/schema-advice.ts'
import { asyncPart, children } from '../schemas/walk.ts'
import type { RouteDefinition } from './route.ts'

type Passed = Set<z.core.$ZodType>

/**
 * Refuses schemas that the contract cannot show, or cannot show as they check. Each schema is checked once, however many
 * routes have it.
 *
 * @param routes the routes by their names
 * @param names the schemas that the contract shows by name
 * @throws {Error} naming the route, the schema and what to write instead
 */
export function checkSchemas(
  routes: readonly (readonly [name: string, route: RouteDefinition])[],
  names: ReadonlyMap<string, z.ZodType>,
): void {
  const passed = {
    texts: new Set(),
    bodies: new Set(),
    outputs: new Set(),
    harmless: new Set(),
  } satisfies Record<string, Passed>
  for (const [name, route] of routes)
    for (const [where, schema, io] of partsOf(route)) {
      const at = `${name} (${where})`
      if (io === 'output') refusePatterns(at, schema, passed.outputs)
      else if (where === 'body') refuseInexact(at, schema, false, passed.bodies)
      else refuseInexact(at, schema, true, passed.texts)
      if (isSuspicious(schema, passed.harmless)) schemaWriter(names).write(schema, io, at)
    }
}

/**
 * Refuses schemas that would have to wait: requests and responses are checked synchronously.
 *
 * @param passed schemas that need no check, with all inside them. It gets those that are checked
 * @throws {Error} naming the route, the schema and what to write instead
 */
export function refuseAsync(routeName: string, schemas: readonly z.core.$ZodType[], passed: Passed): void {
  for (const schema of schemas) {
    const place = asyncPart(schema, passed)
    if (place !== undefined)
      throw new Error(
        `${routeName} has an asynchronous schema (${place || 'the top level'}): write its refinement without async, and ` +
          'look things up in the handler.',
      )
  }
}

/**
 * Refuses a name that the contract gives to a schema where the service sends it, such as `OrderOutput` for `Order`.
 *
 * @throws {Error} naming both schemas
 */
export function checkOutputNames(
  routes: readonly RouteDefinition[],
  names: ReadonlyMap<string, z.ZodType>,
): void {
  if (![...names.keys()].some((name) => names.has(`${name}Output`))) return
  const writer = schemaWriter(names)
  for (const route of routes)
    for (const [where, schema, io] of partsOf(route))
      writer.write(schema, io, `${route.operationId} (${where})`)
  writer.finish()
}

/** The schemas of a route that the contract shows, each with its position. */
function* partsOf({
  request,
  responses,
}: RouteDefinition): Generator<[where: string, schema: z.ZodType, io: Direction]> {
  const parameters = [
    ['path', request?.params],
    ['query', request?.query],
    ...[request?.headers ?? []].flat().map((headers) => ['header', headers] as const),
    ['cookie', request?.cookies],
  ] as const
  for (const [where, schema] of parameters)
    for (const [name, part] of Object.entries(shapeOf(schema)))
      yield [`${where} parameter ${name}`, part, 'input']
  if (request?.query instanceof z.ZodPipe) yield ['query', request.query, 'input']
  for (const schema of contentSchemas(request?.body)) yield ['body', schema, 'input']
  for (const response of Object.values(responses)) {
    for (const schema of contentSchemas(response)) yield ['response', schema, 'output']
    for (const [name, part] of Object.entries(shapeOf(response.headers)))
      yield [`response header ${name}`, part, 'output']
  }
}

/** The schemas of a body's or a response's media types. */
export function contentSchemas(part: object | undefined): z.ZodType[] {
  const content = part && 'content' in part ? part.content : undefined
  return Object.values(content ?? {})
    .map((media: { schema?: unknown }) => media.schema)
    .filter((schema) => schema instanceof z.ZodType)
}

/**
 * Whether a schema may contain something that the contract cannot show, or contains itself. It is a quick test, because
 * nearly no schema does.
 *
 * @param harmless schemas that do not. It gets those that are found
 */
function isSuspicious(
  schema: z.core.$ZodType,
  harmless: Passed,
  above: readonly z.core.$ZodType[] = [],
): boolean {
  if (above.includes(schema)) return true
  if (harmless.has(schema)) return false
  if (isUnrepresentable(schema._zod.def.type)) return true
  const path = [...above, schema]
  if (children(schema).some(([, child]) => isSuspicious(child, harmless, path))) return true
  harmless.add(schema)
  return false
}
