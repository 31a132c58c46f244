import {
  getOpenApiMetadata,
  OpenAPIRegistry,
  OpenApiGeneratorV31,
  type RouteConfig,
  type ZodContentObject,
} from '@asteasolutions/zod-to-openapi'
import { z } from '@hono/zod-openapi'
import type { Config } from '../config/config.ts'
import { namesIn, partsOf, shapeOf } from '../http/fields.ts'
import { idempotencyKey } from '../http/idempotency.ts'
import type { ProblemFormat } from '../http/problem-format.ts'
import type { Security } from '../http/security.ts'
import type { ProblemDefinition } from '../kernel/problem.ts'
import { problemsOf } from '../routes/problem-check.ts'
import type { RouteDefinition } from '../routes/route.ts'
import { type Mounted, schemasOf, uniqueNames } from '../routes/start-checks.ts'
import { filesIn } from '../schemas/file.ts'
import { type Direction, schemaWriter } from '../schemas/json-schema.ts'

type Writer = ReturnType<typeof schemaWriter>

/** What the contract says of the service as a whole. */
export interface DocumentOptions {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  /** SERVICE_URL is the server; AUTH_COOKIE, where set, is another way to send the token. */
  readonly config: Pick<Config, 'SERVICE_URL' | 'AUTH_COOKIE'>
  readonly format: ProblemFormat
}

/**
 * The contract: OpenAPI 3.1, from what the routes state. Security, the problems that follow from it and from
 * the request, and the Idempotency-Key header come in here, so that no route has to repeat them.
 */
export function openApiDocument(mounted: readonly Mounted[], options: DocumentOptions): object {
  const registry = new OpenAPIRegistry()
  const names = uniqueNames([...mounted.flatMap(schemasOf), options.format.schema])
  const writer = schemaWriter(names)
  for (const [name, scheme] of securitySchemes(mounted))
    registry.registerComponent('securitySchemes', name, scheme)
  const cookie = options.config.AUTH_COOKIE
  if (cookie)
    registry.registerComponent('securitySchemes', 'cookie', { type: 'apiKey', in: 'cookie', name: cookie })
  const operations = mounted.flatMap((route) =>
    route.operation.kind === 'contract' ? [operationOf(route, route.operation.route, options, writer)] : [],
  )
  const { components, resolve } = writer.finish()
  for (const [name, schema] of components) registry.registerComponent('schemas', name, schema)
  for (const operation of operations) registry.registerPath(resolve(operation) as RouteConfig)
  const features = new Map(mounted.map(({ feature }) => [feature.name, feature.description]))
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: options.info,
    servers: [{ url: options.config.SERVICE_URL ?? '/' }],
    tags: [...features].map(([name, description]) => ({ name, description })),
  })
}

/** Users send a token of their own, Google's services one of Google's. */
function securitySchemes(mounted: readonly Mounted[]) {
  const bearer = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } as const
  const google = 'https://accounts.google.com/.well-known/openid-configuration'
  const invoker = { type: 'openIdConnect', openIdConnectUrl: google } as const
  return mounted.every(({ feature }) => feature.internal)
    ? ([['invoker', invoker]] as const)
    : ([['bearer', bearer]] as const)
}

function operationOf(
  { path, feature, method: verb }: Mounted,
  route: RouteDefinition,
  { config, format }: DocumentOptions,
  writer: Writer,
): RouteConfig & Record<string, unknown> {
  const { method, operationId, summary, description, security, request, responses, idempotent } = route
  const cookie = config.AUTH_COOKIE
  const place = `${verb} ${path}`
  const parameters = parametersOf(request, idempotent === true, place, writer)
  const problems = problemResponses(problemsOf(route, cookie), path, {
    ...format,
    schema: writer.write(format.schema, 'output', place),
  })
  return {
    method,
    path,
    operationId,
    summary,
    tags: [feature.name],
    ...(description && { description }),
    security: securityRequirements(security, cookie),
    ...(parameters.length > 0 && { parameters }),
    request: {
      ...(request?.body && {
        body: {
          ...request.body,
          required: request.body.required ?? false,
          content: contentOf(request.body.content, 'input', place, writer),
        },
      }),
    },
    responses: merged(problems, described(responses, place, writer)),
  } as RouteConfig & Record<string, unknown>
}

function securityRequirements(security: Security, cookie: string | undefined): Record<string, string[]>[] {
  if (security === 'public') return []
  if (security === 'invoker') return [{ invoker: [] }]
  const scopes = typeof security === 'string' ? [] : [...security]
  const ways = [{ bearer: scopes }, ...(cookie ? [{ cookie: scopes }] : [])]
  return security === 'optional' ? [{}, ...ways] : ways
}

function problemResponses(
  definitions: readonly ProblemDefinition[],
  path: string,
  { contentType, schema, format }: Omit<ProblemFormat, 'schema'> & { schema: object },
): RouteConfig['responses'] {
  const byStatus = Map.groupBy(new Set(definitions), ({ status }) => status)
  const responses = [...byStatus].map(([status, kinds]) => {
    const examples = kinds.map((kind) => [
      kind.code,
      { summary: kind.title, value: format(exampleOf(kind, path)) },
    ])
    const description = kinds.map(({ code, title }) => `\`${code}\`: ${title}.`).join(' ')
    return [
      status,
      { description, content: { [contentType]: { schema, examples: Object.fromEntries(examples) } } },
    ]
  })
  return Object.fromEntries(responses)
}

/** Where a route states a response of its own at a problem's status, both may come. */
function merged(problems: RouteConfig['responses'], own: RouteConfig['responses']): RouteConfig['responses'] {
  const both = Object.entries(own).map(([status, response]) => {
    const problem = problems[status]
    if (!problem || !('content' in problem) || '$ref' in response) return [status, response]
    const content = { ...problem.content, ...('content' in response ? response.content : {}) }
    return [status, { ...response, description: `${response.description} ${problem.description}`, content }]
  })
  return { ...problems, ...Object.fromEntries(both) }
}

function exampleOf(kind: ProblemDefinition, instance: string) {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  return { ...kind, detail: undefined, userMessage: undefined, errors: undefined, instance, traceId }
}

/** Media types with their schemas written, and a schema's own example where a media type shows none. */
function contentOf(content: object, io: Direction, place: string, writer: Writer): ZodContentObject {
  const shown = Object.entries(content).map(([type, media]: [string, { schema?: unknown }]) => {
    const { schema } = media
    if (!(schema instanceof z.ZodType)) return [type, media]
    const { example } = getOpenApiMetadata(schema)
    const own = 'example' in media || 'examples' in media || example === undefined
    const written = writer.write(schema, io, `${place} (${io === 'input' ? 'body' : 'response'})`)
    const encoding = type.toLowerCase() === 'multipart/form-data' ? encodingOf(schema) : {}
    const isEncoded = Object.keys(encoding).length > 0
    return [type, { ...(isEncoded && { encoding }), ...media, ...(!own && { example }), schema: written }]
  })
  return Object.fromEntries(shown)
}

/**
 * The content types of a form's files, by field.
 *
 * @see https://spec.openapis.org/oas/v3.1.0#encoding-object
 */
function encodingOf(form: z.ZodType): Record<string, { contentType: string }> {
  const fields = [...namesIn(form)].map((name): [string, string[]] => [
    name,
    partsOf(form, name)
      .flatMap(filesIn)
      .flatMap(({ types }) => types),
  ])
  return Object.fromEntries(
    fields
      .filter(([, types]) => types.length > 0)
      .map(([name, types]) => [name, { contentType: types.join(', ') }]),
  )
}

function described(responses: RouteConfig['responses'], place: string, writer: Writer) {
  const shown = Object.entries(responses).map(([status, response]) => {
    if ('$ref' in response) return [status, response]
    const { content, headers } = response
    return [
      status,
      {
        ...response,
        ...(content && { content: contentOf(content, 'output', place, writer) }),
        ...(headers instanceof z.ZodObject && { headers: headersOf(headers, place, writer) }),
      },
    ]
  })
  return Object.fromEntries(shown)
}

function headersOf(headers: z.ZodObject, place: string, writer: Writer): object {
  const written = Object.entries(headers.def.shape).map(([name, schema]) => [
    name,
    parameterOf(schema as z.ZodType, 'output', `${place} (the response header ${name})`, writer),
  ])
  return Object.fromEntries(written)
}

function parametersOf(
  request: RouteDefinition['request'],
  idempotent: boolean,
  place: string,
  writer: Writer,
): object[] {
  const parts = [
    ['path', request?.params],
    ['query', request?.query],
    ...(idempotent ? [['header', idempotencyKey] as const] : []),
    ...[request?.headers ?? []].flat().map((headers) => ['header', headers] as const),
    ['cookie', request?.cookies],
  ] as const
  return parts.flatMap(([where, schema]) =>
    Object.entries(shapeOf(schema)).map(([name, part]) => ({
      ...parameterOf(part, 'input', `${place} (${where} parameter ${name})`, writer),
      name,
      in: where,
    })),
  )
}

function parameterOf(schema: z.ZodType, io: Direction, place: string, writer: Writer): object {
  const { description, param } = getOpenApiMetadata(schema)
  const optional = io === 'input' ? schema._zod.optin : schema._zod.optout
  return {
    schema: writer.write(schema, io, place),
    required: optional === undefined,
    ...(description && { description }),
    ...param,
  }
}
