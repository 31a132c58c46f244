import { getOpenApiMetadata } from '@asteasolutions/zod-to-openapi'
import { z } from '@hono/zod-openapi'
import type { ProblemDefinition } from '../http/problem.ts'
import type { Feature } from './feature.ts'
import type { Operation, PlainOperation, RouteDefinition } from './route.ts'
import { everySchema } from './walk.ts'

/** A feature's route at its full path. */
export interface Mounted {
  readonly feature: Feature
  readonly operation: Operation | PlainOperation
  readonly path: string
}

/**
 * What must hold before the service starts, so that no request has to find out.
 *
 * @throws {Error} naming the route, the problem code or the schema, and how to mend it
 */
export function startChecks(
  mounted: readonly Mounted[],
  runtimeProblems: Readonly<Record<string, ProblemDefinition>>,
): void {
  const places = new Set<string>()
  const operationIds = new Set<string>()
  const names = new Map<string, z.ZodType>()
  const seen = new Set<z.core.$ZodType>()
  for (const { operation, path } of mounted) {
    const { route } = operation
    const place = `${route.method.toUpperCase()} ${path}`
    once(
      places,
      place.replaceAll(/\{\w+\}|:\w+/g, '{}'),
      `${place} is defined twice: remove one, or mount one elsewhere.`,
    )
    statesSecurity(place, route.security)
    if (operation.kind === 'plain') continue
    const { operationId } = operation.route
    once(
      operationIds,
      operationId,
      `${place} has the operationId ${operationId} of another route: name it otherwise.`,
    )
    takesStrictObjects(place, operation.route)
    for (const schema of schemasOf(operation.route)) uniqueNames(schema, names, seen)
    for (const { code } of operation.route.problems ?? [])
      definedProblem(place, code, mounted, runtimeProblems)
  }
  uniqueProblems(mounted, runtimeProblems)
}

function once(seen: Set<string>, key: string, complaint: string): void {
  if (seen.has(key)) throw new Error(complaint)
  seen.add(key)
}

function statesSecurity(place: string, security: unknown): void {
  const named = security === 'public' || security === 'optional' || security === 'authenticated'
  const scopes =
    Array.isArray(security) && security.length > 0 && security.every((scope) => /^[!#-[\]-~]+$/.test(scope))
  if (named || scopes) return
  throw new Error(
    `${place} does not state its security. Give it security: ['a:scope'], 'authenticated', 'optional' or 'public'.`,
  )
}

function takesStrictObjects(place: string, { request, idempotent, security }: RouteDefinition): void {
  for (const schema of [request?.query, ...contentSchemas(request?.body)]) {
    if (!(schema instanceof z.core.$ZodType)) continue
    for (const [path, inner] of everySchema(schema)) {
      if (inner instanceof z.ZodObject && !inner.def.catchall) {
        throw new Error(
          `${place} takes an object that would drop unknown keys (${path || 'the top level'}): ` +
            'make it z.strictObject, or z.looseObject to let them pass.',
        )
      }
    }
  }
  if (idempotent && (security === 'public' || security === 'optional')) {
    throw new Error(
      `${place} is idempotent, but its keys would belong to nobody: state scopes or 'authenticated'.`,
    )
  }
}

function definedProblem(
  place: string,
  code: string,
  mounted: readonly Mounted[],
  runtimeProblems: Readonly<Record<string, ProblemDefinition>>,
): void {
  const known = code in runtimeProblems || mounted.some(({ feature }) => code in feature.problems)
  if (!known)
    throw new Error(`${place} lists the problem ${code}, which no feature defines: add it to \`problems\`.`)
}

function uniqueProblems(
  mounted: readonly Mounted[],
  runtimeProblems: Readonly<Record<string, ProblemDefinition>>,
): void {
  const owners = new Map<string, ProblemDefinition>(Object.entries(runtimeProblems))
  for (const problems of new Set(mounted.map(({ feature }) => feature.problems))) {
    for (const [code, definition] of Object.entries(problems)) {
      const owner = owners.get(code)
      if (owner && owner !== definition)
        throw new Error(`The problem ${code} is defined twice: name one of them otherwise.`)
      owners.set(code, definition)
    }
  }
}

/** zod-openapi documents two schemas of one name as the first, and says nothing. */
function uniqueNames(root: z.core.$ZodType, names: Map<string, z.ZodType>, seen: Set<z.core.$ZodType>): void {
  for (const [, schema] of everySchema(root, '', seen)) {
    if (!(schema instanceof z.ZodType)) continue
    const name = getOpenApiMetadata(schema)._internal?.refId
    if (typeof name !== 'string') continue
    const other = names.get(name)
    if (other && other !== schema && documented(other) !== documented(schema)) {
      throw new Error(`Two different schemas are named ${name}: rename one of them, in .openapi('${name}').`)
    }
    names.set(name, schema)
  }
}

function documented(schema: z.ZodType): string {
  return JSON.stringify([z.toJSONSchema(schema, { unrepresentable: 'any' }), getOpenApiMetadata(schema)])
}

/** Every schema that a route names, in its request and its responses. */
function schemasOf({ request, responses }: RouteDefinition): z.core.$ZodType[] {
  const bodies = [request?.body, ...Object.values(responses)].flatMap(contentSchemas)
  return [request?.params, request?.query, request?.cookies, ...[request?.headers].flat(), ...bodies].filter(
    (schema) => schema instanceof z.core.$ZodType,
  )
}

/** The schemas of a body's or a response's media types. */
function contentSchemas(part: object | undefined): unknown[] {
  const content = part && 'content' in part ? part.content : undefined
  return Object.values(content ?? {}).map((media: { schema?: unknown }) => media.schema)
}
