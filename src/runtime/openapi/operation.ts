import { getOpenApiMetadata } from '@asteasolutions/zod-to-openapi'
import { z } from '@hono/zod-openapi'
import { shapeOf } from '../http/fields.ts'
import { idempotencyKey } from '../http/idempotency.ts'
import type { ProblemFormat } from '../http/problem-format.ts'
import { authenticationOf, type Security } from '../http/security.ts'
import { problemsOf } from '../routes/problem-check.ts'
import type { Responses, RouteDefinition } from '../routes/route.ts'
import type { Direction, Json, SchemaWriter } from '../schemas/json-schema.ts'
import { contentOf } from './media.ts'
import { type ProblemResponse, problemResponses } from './problem-responses.ts'
import { componentName, type SharedParts } from './shared-parts.ts'

/** What an operation needs, beside its route. */
export interface OperationOptions {
  readonly path: string
  readonly tag: string
  /** The name of the cookie that may carry the token, if any. */
  readonly cookie: string | undefined
  readonly format: ProblemFormat
  readonly writer: SchemaWriter
  readonly parts: SharedParts
}

/** Writes an operation of the contract: what its route declares, and what follows from that. */
export function operationOf(route: RouteDefinition, options: OperationOptions): Json {
  const { operationId, summary, description, security, request } = route
  const { tag, cookie, path, writer } = options
  const place = `${route.method.toUpperCase()} ${path}`
  const parameters = parametersOf(route, place, options)
  return {
    operationId,
    summary,
    tags: [tag],
    ...(description && { description }),
    security: securityRequirements(security, cookie),
    ...(parameters.length > 0 && { parameters }),
    ...(request?.body && {
      requestBody: {
        ...request.body,
        required: request.body.required ?? false,
        content: contentOf(request.body.content, 'input', place, writer),
      },
    }),
    responses: responsesOf(route, place, options),
  }
}

function securityRequirements(security: Security, cookie: string | undefined): Record<string, string[]>[] {
  if (security === 'public') return []
  if (security === 'invoker') return [{ invoker: [] }]
  const { schemes, scopes } = authenticationOf(security)
  const names = schemes.flatMap((scheme) => {
    if (scheme !== 'token') return [scheme.name]
    return cookie ? ['bearer', 'cookie'] : ['bearer']
  })
  const ways = names.map((name) => ({ [name]: [...scopes] }))
  return security === 'optional' ? [{}, ...ways] : ways
}

function parametersOf(
  { request, idempotent }: RouteDefinition,
  place: string,
  { writer, parts }: OperationOptions,
): Json[] {
  const written = (where: string, schema: unknown) =>
    Object.entries(shapeOf(schema)).map(([name, part]) => ({
      name,
      in: where,
      ...parameterOf(part, 'input', `${place} (${where} parameter ${name})`, writer),
    }))
  return [
    ...written('path', request?.params),
    ...written('query', request?.query),
    ...(idempotent ? written('header', idempotencyKey) : []).map((parameter) =>
      parts.share('parameters', componentName(parameter.name), parameter),
    ),
    ...[request?.headers ?? []].flat().flatMap((headers) => written('header', headers)),
    ...written('cookie', request?.cookies),
  ]
}

function parameterOf(schema: z.ZodType, io: Direction, place: string, writer: SchemaWriter): Json {
  const metadata = getOpenApiMetadata(schema)
  const optional = io === 'input' ? schema._zod.optin : schema._zod.optout
  const { description = metadata.description, ...written } = writer.write(schema, io, place)
  return {
    required: optional === undefined,
    ...(description !== undefined && { description }),
    ...metadata.param,
    schema: written,
  }
}

/** The responses and the problems of a route. If both have the same status, the contract shows both. */
function responsesOf(route: RouteDefinition, place: string, options: OperationOptions): Json {
  const { cookie, format, writer, parts } = options
  const schema = writer.write(format.schema, 'output', place)
  const problems = problemResponses(problemsOf(route, cookie), { ...format, schema })
  const responses: Json = {}
  for (const [status, { name, response }] of problems)
    responses[status] = parts.share('responses', name, response)
  for (const [status, response] of Object.entries(route.responses)) {
    const problem = problems.get(status)?.response
    const own = responseOf(response, place, writer)
    responses[status] = problem ? beside(problem, own) : own
  }
  return responses
}

/** Joins a route's own response and a problem with the same status: either may be sent. */
function beside(problem: ProblemResponse['response'], own: Json): Json {
  const content = { ...problem.content, ...(own.content as Json | undefined) }
  return { ...own, description: `${own.description} ${problem.description}`, content }
}

function responseOf(
  { headers, content, ...response }: Responses[string],
  place: string,
  writer: SchemaWriter,
): Json {
  const stated =
    headers instanceof z.ZodObject
      ? Object.entries(headers.def.shape).map(([name, schema]): [string, Json] => [
          name,
          parameterOf(schema, 'output', `${place} (the response header ${name})`, writer),
        ])
      : Object.entries(headers ?? {})
  return {
    ...response,
    ...(stated.length > 0 && { headers: Object.fromEntries(stated) }),
    ...(content && { content: contentOf(content, 'output', place, writer) }),
  }
}
