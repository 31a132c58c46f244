import { z } from '@hono/zod-openapi'
import { alternativesOf } from '../http/fields.ts'
import { bareType } from '../http/media-type.ts'
import { valueReader } from '../http/value-reader.ts'
import type { Responses } from './route.ts'

/** What a route declares for a status. */
export interface DeclaredResponse {
  /** The schemas by content type, in lower case and without parameters; empty if the response has no body. */
  readonly content: ReadonlyMap<string, unknown>
  readonly headers: readonly DeclaredHeader[]
}

/** A header that a route declares for a response. */
export interface DeclaredHeader {
  /** In lower case. */
  readonly name: string
  /** Whether every such response has it. */
  readonly required: boolean
  /** What is wrong with a value, by its schema; `undefined` if it fits. */
  readonly complaint: (text: string) => string | undefined
}

/**
 * Finds what a route declares for a status: by the status itself, or its range (`2XX`), or `default`.
 *
 * @see https://spec.openapis.org/oas/v3.1.0#responses-object
 */
export function declaredResponses(responses: Responses): (status: number) => DeclaredResponse | undefined {
  const stated = new Map(
    Object.entries(responses).map(([status, response]) => [status.toUpperCase(), declarationOf(response)]),
  )
  return (status) =>
    stated.get(String(status)) ?? stated.get(`${String(status)[0]}XX`) ?? stated.get('DEFAULT')
}

function declarationOf(response: Responses[string]): DeclaredResponse {
  const content = Object.entries(response.content ?? {})
  return {
    content: new Map(
      content.map(([type, media]) => [bareType(type), media && 'schema' in media ? media.schema : undefined]),
    ),
    headers: headersOf(response.headers),
  }
}

/** The declared headers. A header is optional by its schema, or by `required: false`. */
function headersOf(headers: unknown): DeclaredHeader[] {
  const parts = headers instanceof z.ZodObject ? headers.def.shape : (headers ?? {})
  return Object.entries(parts).map(([name, part]) => {
    const schema = part instanceof z.core.$ZodType ? part : undefined
    const required = schema ? schema._zod.optin === undefined : part?.required !== false
    return { name: name.toLowerCase(), required, complaint: schema ? complaintOf(schema) : () => undefined }
  })
}

/** Reads a header's text like a parameter: for `z.int()`, the text `5` becomes a number. */
function complaintOf(schema: z.core.$ZodType): DeclaredHeader['complaint'] {
  const { read } = valueReader(alternativesOf(schema).one)
  return (text) => z.safeParse(schema, read(text)).error?.issues[0]?.message
}
