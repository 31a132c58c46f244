import { z } from '@hono/zod-openapi'
import type { ProblemError } from '../kernel/problem.ts'

/** Everything that is known of a problem when its response is written. */
export interface ProblemDetails {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string | undefined
  readonly userMessage: string | undefined
  readonly errors: readonly ProblemError[] | undefined
  /** The path of the request, without its query. */
  readonly instance: string
  readonly traceId: string
}

/** How a service writes problems: the body, and its schema for the contract. */
export interface ProblemFormat {
  readonly contentType: string
  readonly schema: z.ZodType
  readonly format: (details: ProblemDetails) => Record<string, unknown>
}

/** The name of the default format's schema in the contract. */
export const problemName = 'Problem'

let schema: z.ZodType | undefined

/** Builds the schema. Only the contract needs it, so it is not built at the start. */
function problemSchema(): z.ZodType {
  schema ??= z
    .object({
      type: z.string().openapi({ description: 'A URI that names the kind of problem' }),
      title: z.string(),
      status: z.int().min(400).max(599),
      detail: z.string().optional(),
      instance: z.string().openapi({ description: 'The path of the request' }),
      code: z
        .string()
        .openapi({ description: 'Identifies the kind of problem. It is stable: clients can rely on it' }),
      traceId: z.string().openapi({ description: 'The trace of the request, which finds it in the logs' }),
      errors: z
        .array(
          z.object({
            detail: z.string(),
            in: z.enum(['body', 'query', 'path', 'header', 'cookie']),
            pointer: z.string().openapi({ description: 'A JSON pointer (RFC 6901) as a URI fragment' }),
          }),
        )
        .optional(),
      userMessage: z
        .string()
        .optional()
        .openapi({ description: 'A text that the client may show to its user' }),
    })
    .openapi(problemName)
  return schema
}

/**
 * Problem details for HTTP APIs.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 * @example
 * app.onError(problemResponder(problemDetails, log))
 */
export const problemDetails: ProblemFormat = {
  contentType: 'application/problem+json',
  get schema() {
    return problemSchema()
  },
  format: ({ code, title, status, detail, instance, traceId, errors, userMessage }) => ({
    type: `urn:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    ...(detail && { detail }),
    instance,
    code,
    traceId,
    ...(errors && { errors }),
    ...(userMessage && { userMessage }),
  }),
}
