import { once } from 'node:events'
import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { currentRequest } from './context.ts'
import { lazily } from './lazily.ts'
import { shareConnections } from './shared-connections.ts'
import type { Span, SpanAttributes } from './span.ts'

/** What a span says of a call. The path and the query may hold what nobody should read. */
export function callAttributes(method: string, url: string | URL): SpanAttributes {
  const { hostname, port, protocol } = new URL(url)
  return {
    'http.request.method': method,
    'server.address': hostname,
    'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
  }
}

/** What a span says of the response to a call: by OpenTelemetry, each status from 400 on is an error. */
export function noteStatus(span: Span, status: number): void {
  span.set({ 'http.response.status_code': status })
  if (status >= 400) span.fail(status)
}

const plain = { request: http.request, agent: shareConnections(new http.Agent({ keepAlive: true })) }

/** It keeps the session of TLS too, so that the handshake of a later connection is shorter. The start does not load it. */
const overTls = lazily(async () => {
  const { Agent, request } = await import('node:https')
  return { request, agent: shareConnections(new Agent({ keepAlive: true })) }
})

/** A response whose body was read completely. */
export interface TextResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

interface Call {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array | undefined
  readonly signal: AbortSignal
  /** The limit of the response's body. */
  readonly maxBytes: number
  /** It has no span of its own. */
  readonly untraced?: boolean
}

/**
 * Sends one request. If the signal aborts, its connection ends. (`fetch` would open another one then, which can outlive the
 * request.) Else the next call takes the connection, until no request of a caller runs. Redirects are not followed.
 *
 * It may arrive twice: a connection that was used before may end before it brings a response, and nobody knows whether what was
 * sent on it has arrived. So it is sent again, on another one.
 *
 * @throws {Error} if there is no response, or if its body is too long; the signal's reason if it aborts
 */
export async function sendRequest(url: string, call: Call): Promise<TextResponse> {
  const { method = 'GET', signal, untraced } = call
  const { request, agent } = url.startsWith('https:') ? await overTls() : plain
  signal.throwIfAborted()
  const span = untraced
    ? undefined
    : currentRequest()?.span?.child(method, 'client', callAttributes(method, url))
  try {
    for (;;) {
      const { body, headers } = call
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const sent = request(url, { method, headers: { ...headers, ...length }, agent, signal })
      const response = await receive(sent, call)
      if (!response) continue
      if (span) noteStatus(span, response.status)
      return response
    }
  } catch (error) {
    span?.fail(error)
    signal.throwIfAborted()
    throw error
  } finally {
    span?.end()
  }
}

/** @returns nothing if the connection had been used before, and ended before a response came */
async function receive(sent: ClientRequest, { body, maxBytes }: Call): Promise<TextResponse | undefined> {
  sent.on('error', () => {}) // a second error may come after the response has failed
  let response: IncomingMessage | undefined
  try {
    const responded = once(sent, 'response') as Promise<[IncomingMessage]>
    sent.end(body)
    ;[response] = await responded
    const { statusCode: status = 0, headers } = response
    return { status, headers, text: await readText(response, maxBytes) }
  } catch (error) {
    const ended = sent.reusedSocket && !response && endCodes.has((error as NodeJS.ErrnoException).code ?? '')
    if (!ended) throw error
    return undefined
  } finally {
    sent.destroy()
  }
}

/** What a connection says whose other side has closed it. */
const endCodes = new Set(['ECONNRESET', 'EPIPE'])

async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new Error(`The response is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
