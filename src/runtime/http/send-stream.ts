import type { Context, TypedResponse } from 'hono'

/** An event as a browser's `EventSource` gets it. */
export interface ServerSentEvent {
  readonly data: string
  /** Its type; `message` if absent. */
  readonly event?: string
  /** The client sends it as `Last-Event-ID` when it reconnects. */
  readonly id?: string
  /** How long the client waits before it reconnects, in milliseconds. */
  readonly retry?: number
}

const sent = new WeakSet<ReadableStream>()

/** Whether the response was created by `sendStream` or `sendEvents`. */
export function isSentStream({ body }: Response): boolean {
  return body !== null && sent.has(body)
}

/**
 * Responds with a body that is created while it is sent, chunk by chunk, no faster than the client reads.
 *
 * @param type the content type
 * @param source its `finally` runs when the client disconnects. If it throws before its first chunk, the response is a
 *   problem; if it throws later, the response is cut
 * @example
 * async function* csv() {
 *   yield 'id,item\n'
 *   for (const { id, item } of [order]) yield `${id},${item}\n`
 * }
 * handle(exportOrders, (c) => sendStream(c, 'text/csv', csv()))
 */
export function sendStream(
  c: Context,
  type: string,
  source: AsyncIterable<string | Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
): Response & TypedResponse<string, 200, 'text'> {
  const body = ReadableStream.from(encoded(source))
  sent.add(body)
  const response = c.body(body, 200, { 'Content-Type': type, ...headers })
  return response as Response as ReturnType<typeof sendStream>
}

/**
 * Responds with server-sent events. The head is sent at once. The source should end when `c.var.signal` aborts: at the
 * request's deadline, or when the process stops. The client reconnects then.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 * @example
 * async function* changes(signal: AbortSignal) {
 *   while (!signal.aborted) yield { event: 'changed', data: 'Teapot' }
 * }
 * handle(watchOrders, (c) => sendEvents(c, changes(c.var.signal)))
 */
export function sendEvents(
  c: Context,
  source: AsyncIterable<ServerSentEvent>,
): ReturnType<typeof sendStream> {
  const headers = { 'Cache-Control': 'no-cache' }
  return sendStream(c, 'text/event-stream', written(source), headers)
}

async function* encoded(source: AsyncIterable<string | Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of source) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

async function* written(source: AsyncIterable<ServerSentEvent>): AsyncIterable<string> {
  for await (const { data, event, id, retry } of source) {
    if (/[\r\n\0]/.test(`${event ?? ''}${id ?? ''}`))
      throw new Error('The type and the id of an event may not contain a line break or a NUL.')
    const fields = [
      ...(event === undefined ? [] : [`event: ${event}`]),
      ...(id === undefined ? [] : [`id: ${id}`]),
      ...(retry === undefined ? [] : [`retry: ${retry}`]),
      ...data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`),
    ]
    yield `${fields.join('\n')}\n\n`
  }
}
