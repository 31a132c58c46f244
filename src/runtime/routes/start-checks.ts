import { getRefId } from '@asteasolutions/zod-to-openapi'
import { z } from '@hono/zod-openapi'
import type { AuthOptions } from '../auth/verify.ts'
import { type ProblemFormat, problemDetails, problemName } from '../http/problem-format.ts'
import { statusProblems } from '../http/status-problems.ts'
import type { Template } from '../http/template.ts'
import type { ProblemDefinition } from '../kernel/problem.ts'
import { children, everySchema } from '../schemas/walk.ts'
import { apiKeysOf } from './api-keys.ts'
import { checkBody } from './body-checks.ts'
import type { CallerMiddleware } from './caller-middleware.ts'
import { checkFields } from './field-checks.ts'
import { checkPathParameters } from './path-checks.ts'
import { uniqueResponseNames } from './response-names.ts'
import type { Operation, PlainOperation, RouteDefinition } from './route.ts'
import type { RouteGroup } from './route-group.ts'
import { checkOutputNames, checkSchemas, contentSchemas, refuseAsync } from './schema-checks.ts'
import { checkSecurity } from './security-checks.ts'
import { isStreamed } from './stream.ts'

/** A feature's route at its full path. */
export interface Mounted {
  readonly feature: RouteGroup
  readonly operation: Operation | PlainOperation
  /** The middleware that runs before it, when the caller is known. */
  readonly middleware: readonly CallerMiddleware[]
  readonly path: string
  /** In capitals, as it is sent. */
  readonly method: string
  readonly template: Template
}

/**
 * Checks the routes at the start, so that a mistake does not show at a request.
 *
 * @throws {Error} naming the route, the problem code or the schema, and what to write instead
 */
export function startChecks(
  mounted: readonly Mounted[],
  runtimeProblems: Readonly<Record<string, ProblemDefinition>>,
  { format, auth }: { format: ProblemFormat; auth: AuthOptions },
): void {
  const places = new Set<string>()
  const operationIds = new Set<string>()
  for (const { feature, operation, path, method, template } of mounted) {
    const routeName = `${method} ${path}`
    refuseDuplicate(
      places,
      `${method} ${template.shape}`,
      `${routeName} is defined twice: remove one, or mount one elsewhere.`,
    )
    checkSecurity(routeName, operation, auth)
    if (/^\/runtime(\/|$)/.test(path) && !isRuntimeFeature(feature))
      throw new Error(
        `${routeName} is below /runtime, which is reserved for the runtime: give it another path.`,
      )
    checkPathParameters(routeName, template, operation)
    checkBody(routeName, operation)
    if (operation.kind === 'plain') continue
    const { operationId } = operation.route
    refuseDuplicate(
      operationIds,
      operationId,
      `${routeName} has the operationId ${operationId} of another route: rename one.`,
    )
    refuseDroppedKeys(routeName, operation.route)
    checkFields(routeName, operation.route)
    for (const { code } of operation.route.problems ?? [])
      refuseUnknownProblem(routeName, code, mounted, runtimeProblems)
  }
  apiKeysOf(mounted) // refuses two keys with the same name
  refuseDuplicateProblems(mounted, runtimeProblems)
  const passed = new Set<z.core.$ZodType>()
  for (const route of mounted) refuseAsync(`${route.method} ${route.path}`, schemasOf(route), passed)
  const names = uniqueNames(mounted.flatMap(schemasOf))
  const shown = mounted.flatMap(({ operation, path, method }) =>
    operation.kind === 'contract' ? [[`${method} ${path}`, operation.route] as const] : [],
  )
  checkSchemas(shown, names)
  checkOutputNames(
    shown.map(([, route]) => route),
    names,
  )
  // the default format's schema is built only if a feature uses its name
  if (format !== problemDetails || names.has(problemName)) uniqueNames([...names.values(), format.schema])
}

/** Whether a feature is the runtime's own. */
export function isRuntimeFeature({ name }: RouteGroup): boolean {
  return /^runtime(\.|$)/.test(name)
}

function refuseDuplicate(seen: Set<string>, key: string, complaint: string): void {
  if (seen.has(key)) throw new Error(complaint)
  seen.add(key)
}

function refuseDroppedKeys(
  routeName: string,
  { request, responses, idempotent, security }: RouteDefinition,
): void {
  for (const schema of [request?.query, ...contentSchemas(request?.body)]) {
    if (!(schema instanceof z.core.$ZodType)) continue
    for (const [path, inner] of everySchema(schema)) {
      if (inner instanceof z.ZodObject && !inner.def.catchall) {
        throw new Error(
          `${routeName} takes an object that would drop unknown keys (${path || 'the top level'}): ` +
            'write z.strictObject to refuse them, or z.looseObject to accept them.',
        )
      }
    }
  }
  if (idempotent && (security === 'public' || security === 'optional')) {
    throw new Error(
      `${routeName} is idempotent, but idempotency keys belong to a caller: declare scopes or 'authenticated' as its security.`,
    )
  }
  if (idempotent && Object.values(responses).some(isStreamed)) {
    throw new Error(
      `${routeName} is idempotent, but streams its response, which cannot be stored: respond with the URL of the stream, ` +
        'or leave `idempotent` out.',
    )
  }
}

function refuseUnknownProblem(
  routeName: string,
  code: string,
  mounted: readonly Mounted[],
  runtimeProblems: Readonly<Record<string, ProblemDefinition>>,
): void {
  const known =
    code in runtimeProblems ||
    code in statusProblems ||
    mounted.some(({ feature }) => code in feature.problems)
  if (!known)
    throw new Error(
      `${routeName} lists the problem ${code}, which no feature defines: add it to \`problems\`.`,
    )
}

function refuseDuplicateProblems(
  mounted: readonly Mounted[],
  runtimeProblems: Readonly<Record<string, ProblemDefinition>>,
): void {
  const owners = new Map<string, ProblemDefinition>(Object.entries(runtimeProblems))
  for (const problems of new Set(mounted.map(({ feature }) => feature.problems))) {
    for (const [code, definition] of Object.entries(problems)) {
      const owner = owners.get(code)
      if (owner && owner !== definition) throw new Error(`The problem ${code} is defined twice: rename one.`)
      owners.set(code, definition)
    }
  }
  uniqueResponseNames(owners.keys())
}

/**
 * Refuses two different schemas with the same name: zod-openapi would silently document both as the first.
 *
 * @returns the schemas by name
 * @throws {Error} naming them
 */
export function uniqueNames(roots: readonly z.core.$ZodType[]): Map<string, z.ZodType> {
  const names = new Map<string, z.ZodType>()
  const seen = new Set<z.core.$ZodType>()
  for (const [, schema] of roots.flatMap((root) => everySchema(root, seen))) {
    const name = schema instanceof z.ZodType ? getRefId(schema) : undefined
    if (!name || inherited(schema, name)) continue
    const other = names.get(name)
    if (other && documented(other) !== documented(schema as z.ZodType)) {
      throw new Error(`Two different schemas are named ${name}: rename one of them, in .openapi('${name}').`)
    }
    names.set(name, schema as z.ZodType)
  }
  return names
}

/** Whether a wrapper, such as `.optional()`, has its name from the schema inside. */
function inherited(wrapper: z.core.$ZodType, name: string): boolean {
  return children(wrapper).some(
    ([step, inner]) => step === '' && inner instanceof z.ZodType && getRefId(inner) === name,
  )
}

/** What the contract shows for a schema, without its descriptions: each use of the name may have another one. */
function documented(schema: z.ZodType): string {
  return JSON.stringify(
    z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', metadata: z.registry() }),
  )
}

/** The schemas of a route's request and responses. */
export function schemasOf({ operation }: Mounted): z.core.$ZodType[] {
  if (operation.kind === 'plain') return []
  const { request, responses } = operation.route
  const bodies = [request?.body, ...Object.values(responses)].flatMap(contentSchemas)
  return [request?.params, request?.query, request?.cookies, ...[request?.headers].flat(), ...bodies].filter(
    (schema) => schema instanceof z.core.$ZodType,
  )
}
