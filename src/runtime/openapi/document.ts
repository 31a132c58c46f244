import {
  getOpenApiMetadata,
  OpenAPIRegistry,
  OpenApiGeneratorV31,
  type RouteConfig,
} from '@asteasolutions/zod-to-openapi'
import { z } from '@hono/zod-openapi'
import type { Security } from '../auth/security.ts'
import type { Config } from '../config/config.ts'
import { idempotencyKey } from '../http/idempotency.ts'
import type { ProblemDefinition } from '../http/problem.ts'
import type { ProblemFormat } from '../http/problem-format.ts'
import { problemsOf } from './problem-check.ts'
import type { RouteDefinition } from './route.ts'
import { type Mounted, schemasOf, uniqueNames } from './start-checks.ts'

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
  // before the routes, where the first use, such as `Order.nullable()`, would pass for the schema itself
  for (const [name, schema] of uniqueNames([...mounted.flatMap(schemasOf), options.format.schema]))
    registry.register(name, schema)
  for (const [name, scheme] of securitySchemes(mounted))
    registry.registerComponent('securitySchemes', name, scheme)
  const cookie = options.config.AUTH_COOKIE
  if (cookie)
    registry.registerComponent('securitySchemes', 'cookie', { type: 'apiKey', in: 'cookie', name: cookie })
  for (const { feature, operation, path } of mounted) {
    if (operation.kind === 'contract')
      registry.registerPath(operationOf(operation.route, path, feature.name, options))
  }
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
  route: RouteDefinition,
  path: string,
  tag: string,
  options: DocumentOptions,
): RouteConfig {
  const { method, operationId, summary, description, security, request, responses, idempotent } = route
  const cookie = options.config.AUTH_COOKIE
  return {
    method,
    path,
    operationId,
    summary,
    tags: [tag],
    ...(description && { description }),
    security: securityRequirements(security, cookie),
    request: {
      ...request,
      ...(idempotent && { headers: [idempotencyKey, ...[request?.headers ?? []].flat()] as never }),
      ...(request?.body && { body: { ...request.body, content: withExamples(request.body.content) } }),
    },
    responses: merged(
      problemResponses(problemsOf(route, cookie), path, options.format),
      described(responses),
    ),
  }
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
  { contentType, schema, format }: ProblemFormat,
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

/** A schema's own example, where its media type shows none. */
function withExamples<Content extends object>(content: Content): Content {
  const shown = Object.entries(content).map(([type, media]: [string, { schema?: unknown }]) => {
    const example = media.schema instanceof z.ZodType ? getOpenApiMetadata(media.schema).example : undefined
    const own = 'example' in media || 'examples' in media || example === undefined
    return [type, own ? media : { ...media, example }]
  })
  return Object.fromEntries(shown) as Content
}

function described(responses: RouteConfig['responses']): RouteConfig['responses'] {
  const shown = Object.entries(responses).map(([status, response]) => {
    if (!('content' in response) || !response.content) return [status, response]
    return [status, { ...response, content: withExamples(response.content) }]
  })
  return Object.fromEntries(shown)
}
