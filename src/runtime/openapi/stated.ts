import type { RouteConfig } from '@hono/zod-openapi'
import { z } from '@hono/zod-openapi'
import { bareType } from '../http/media-type.ts'

/** What a route states for a status. */
export interface Stated {
  /** The schemas by content type, in small letters and without parameters; nothing where the response has no body. */
  readonly content: ReadonlyMap<string, unknown>
  /** The headers that every such response has, in small letters. */
  readonly headers: readonly string[]
}

/**
 * Finds what a route states for a status: by the status itself, else its range (`2XX`), else `default`.
 *
 * @see https://spec.openapis.org/oas/v3.1.0#responses-object
 */
export function statedAt(responses: RouteConfig['responses']): (status: number) => Stated | undefined {
  const stated = new Map(
    Object.entries(responses).map(([status, response]) => [status.toUpperCase(), statementOf(response)]),
  )
  return (status) =>
    stated.get(String(status)) ?? stated.get(`${String(status)[0]}XX`) ?? stated.get('DEFAULT')
}

function statementOf(response: RouteConfig['responses'][string]): Stated {
  const content = 'content' in response ? Object.entries(response.content ?? {}) : []
  return {
    content: new Map(
      content.map(([type, media]) => [bareType(type), media && 'schema' in media ? media.schema : undefined]),
    ),
    headers: 'headers' in response ? requiredHeaders(response.headers) : [],
  }
}

/** Those that are not stated as optional: by the schema, or by `required: false`. */
function requiredHeaders(headers: unknown): string[] {
  const parts = headers instanceof z.ZodObject ? headers.def.shape : (headers ?? {})
  return Object.entries(parts).flatMap(([name, part]) => {
    const optional =
      part instanceof z.core.$ZodType ? part._zod.optin !== undefined : part?.required === false
    return optional ? [] : [name.toLowerCase()]
  })
}
