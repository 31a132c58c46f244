import { currentRequest } from '../kernel/context.ts'
import { callAttributes, noteStatus } from '../kernel/send-request.ts'
import type { Span } from '../kernel/span.ts'
import { traceparent } from '../kernel/trace.ts'

/**
 * `fetch` for calls to other services, from a handler or a task. It sends the trace as `traceparent`, with a new span, and
 * the request's id as `X-Request-Id`. In a task, both are those of the request that enqueued the task.
 *
 * The call ends with the request or the attempt, even if it is not awaited. The connection ends with the call, because an
 * idle one would outlive the request. Read the response's body to its end, or cancel it. (When a call is aborted, undici
 * opens another connection and closes it at once, without sending a byte.)
 *
 * @param init as for `fetch`. Given headers are not changed, and a given signal ends the call too
 * @throws what `fetch` throws; the reason of the signal that ended the call
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 * @example
 * async function ship(orderId: string): Promise<void> {
 *   const response = await tracedFetch(`https://warehouse.example.com/${orderId}`, { method: 'PUT' })
 *   await response.body?.cancel()
 *   if (!response.ok) throw new Error(`The warehouse responded with ${response.status}`)
 * }
 */
export function tracedFetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('connection', 'close')
  const request = currentRequest()
  const call = new AbortController()
  const { method = 'GET' } = init
  const span = request?.span?.child(method.toUpperCase(), 'client', callAttributes(method.toUpperCase(), url))
  if (request) {
    request.outgoingCalls.push(call)
    const trace = span?.trace ?? request.trace
    if (!headers.has('traceparent')) headers.set('traceparent', traceparent(trace, span?.trace.spanId))
    if (!headers.has('x-request-id')) headers.set('x-request-id', request.requestId)
  }
  const signals = [init.signal, request?.signal, call.signal].filter(
    (signal) => signal instanceof AbortSignal,
  )
  const body = init.body instanceof ReadableStream ? { body: ignoreCancelErrors(init.body) } : {}
  const response = fetch(url, { ...init, ...body, headers, signal: AbortSignal.any(signals) })
  return span ? follow(response, span) : response
}

/** Ends the span when the head of the response is there. */
async function follow(fetched: Promise<Response>, span: Span): Promise<Response> {
  try {
    const response = await fetched
    noteStatus(span, response.status)
    return response
  } catch (error) {
    span.fail(error)
    throw error
  } finally {
    span.end()
  }
}

/**
 * Wraps a body, so that errors of its `cancel` are ignored. undici does not handle them, and they would end the process.
 */
function ignoreCancelErrors(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason).catch(() => {}),
    },
    { highWaterMark: 0 },
  )
}
