import { currentRequest } from '../kernel/context.ts'
import { traceparent } from '../kernel/trace.ts'

/**
 * `fetch` for calls to others, from a handler or a task. It sends on the trace as `traceparent`, with a span of its own,
 * and the request's id as `X-Request-Id`; in a task, those of the request that enqueued it. It ends with the request, or
 * with the attempt, also where nobody waits for it, and the connection ends with the call: an idle one would outlive the
 * request. Read the response's body to its end, or cancel it. (Where a call is cut, undici opens one
 * connection more, and closes it at once, without a byte.)
 *
 * @param init as for `fetch`; headers that are given stay as they are, and a signal that is given ends the call as well
 * @throws what `fetch` throws; the reason of the signal that ended it
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function tracedFetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('connection', 'close')
  const request = currentRequest()
  const call = new AbortController()
  if (request) {
    request.calls.push(call)
    if (!headers.has('traceparent')) headers.set('traceparent', traceparent(request.trace))
    if (!headers.has('x-request-id')) headers.set('x-request-id', request.requestId)
  }
  const signals = [init.signal, request?.signal, call.signal].filter(
    (signal) => signal instanceof AbortSignal,
  )
  const body = init.body instanceof ReadableStream ? { body: givenUpInSilence(init.body) } : {}
  return fetch(url, { ...init, ...body, headers, signal: AbortSignal.any(signals) })
}

/**
 * A body whose source may fail when it is told that nobody wants it any more: undici waits for no word of that, and such
 * an error would end the process.
 */
function givenUpInSilence(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
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
