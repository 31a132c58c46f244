import { once } from 'node:events'
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { currentRequest } from './context.ts'
import { lazily } from './lazily.ts'
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

/** Keeps no connection. */
const plain = { request: http.request, agent: new http.Agent({ keepAlive: false }) }

/** Keeps no connection either, but the session of TLS, so that the next handshake is shorter. The start does not load it. */
const overTls = lazily(async () => {
  const { Agent, request } = await import('node:https')
  return { request, agent: new Agent({ keepAlive: false }) }
})

/** A response whose body was read completely. */
export interface TextResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/**
 * Sends one request on a connection of its own. The connection ends with the request, also when the signal aborts. (`fetch`
 * opens another connection then, which can outlive the request.) Redirects are not followed.
 *
 * @param call.maxBytes the limit of the response's body
 * @param call.untraced has no span of its own
 * @throws {Error} if there is no response, or if its body is too long; the signal's reason if it aborts
 */
export async function sendRequest(
  url: string,
  call: {
    method?: 'GET' | 'POST'
    headers?: Record<string, string>
    body?: string | Uint8Array | undefined
    signal: AbortSignal
    maxBytes: number
    untraced?: boolean
  },
): Promise<TextResponse> {
  const { method = 'GET', headers = {}, body, signal, maxBytes, untraced } = call
  const { request, agent } = url.startsWith('https:') ? await overTls() : plain
  signal.throwIfAborted()
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const sent = request(url, { method, headers: { ...headers, ...length }, agent, signal })
  const span = untraced
    ? undefined
    : currentRequest()?.span?.child(method, 'client', callAttributes(method, url))
  sent.on('error', () => {}) // a second error may come after the response has failed
  try {
    const responded = once(sent, 'response') as Promise<[IncomingMessage]>
    sent.end(body)
    const [response] = await responded
    const { statusCode: status = 0 } = response
    const text = await readText(response, maxBytes)
    if (span) noteStatus(span, status)
    return { status, headers: response.headers, text }
  } catch (error) {
    span?.fail(error)
    signal.throwIfAborted()
    throw error
  } finally {
    span?.end()
    sent.destroy()
  }
}

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
