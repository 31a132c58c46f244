import { z } from '@hono/zod-openapi'
import { type DeclaredHeaders, describeHeaders } from './route.ts'

const streamed = new WeakSet<object>()

/**
 * A streamed response for `responses`, to be sent by `sendStream`: an export, a download.
 *
 * @param type the content type, such as `text/csv`
 * @param headers descriptions of the headers by name
 * @example
 * const responses = { 200: stream('text/csv', 'All orders') }
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

/**
 * A response of server-sent events for `responses`, to be sent by `sendEvents`.
 *
 * @example
 * const responses = { 200: sse('The changes of an order') }
 */
export function sse(description: string) {
  return stream('text/event-stream', description)
}

/** Whether the response was declared by `stream` or `sse`. */
export function isStreamed(response: object): boolean {
  return streamed.has(response)
}
