import { z } from '@hono/zod-openapi'
import { type DeclaredHeaders, describeHeaders } from './route.ts'

const streamed = new WeakSet<object>()

/**
 * A response for `responses` whose body is made while it is sent, by `sendStream`: an export, a download.
 *
 * @param type the content type, such as `text/csv`
 * @param headers their descriptions by name
 */
export function stream<const Type extends string>(
  type: Type,
  description: string,
  headers: DeclaredHeaders = {},
) {
  const content = { [type]: { schema: z.string() } } as Record<Type, { schema: z.ZodString }>
  const response = { description, headers: describeHeaders(headers), content }
  streamed.add(response)
  return response
}

/** A response for `responses` of server-sent events, by `sendEvents`. */
export function sse(description: string) {
  return stream('text/event-stream', description)
}

/** Whether the response was stated by `stream` or `sse`. */
export function isStreamed(response: object): boolean {
  return streamed.has(response)
}
