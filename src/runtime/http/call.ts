import type { CallOptions } from './call-options.ts'

/**
 * `fetch` for calls to other services, from a handler or a task. It returns when the response's body has arrived.
 *
 * - It sends the trace as `traceparent` and the request's id as `X-Request-Id`. Redirects are not followed.
 * - It ends with the request or the attempt, and so does its connection.
 * - Outside tasks it retries when there is no response, and after 408, 425, 429, 502, 503 and 504, if the method is GET, HEAD, OPTIONS, PUT or
 *   DELETE or if you send an `Idempotency-Key`. It waits as `Retry-After` says, up to 10 s and only if the deadline allows.
 *
 * @param init options of `fetch`, and `CallOptions`
 * @returns the response, with a status of 2xx or 304. Its body is in memory: it need not be read
 * @throws {CallError} for any other status, and if there is no response
 * @throws {Error} if no token can be given, or if the body is longer than `maxBytes`; the reason of the signal that ended the call
 * @see https://cloud.google.com/run/docs/authenticating/service-to-service
 * @example
 * async function stockOf(item: string): Promise<number> {
 *   const url = `https://warehouse.example.com/stock/${encodeURIComponent(item)}`
 *   const response = await call(url, { as: 'service' })
 *   return z.object({ count: z.int() }).parse(await response.json()).count
 * }
 */
export async function call(url: string | URL, init: CallOptions = {}): Promise<Response> {
  const { callService, failureOf } = await import('./call-service.ts')
  const response = await callService(url, init)
  if (response.ok || response.status === 304) return response
  throw await failureOf(url, init, response)
}

/**
 * Sends the requests of a client that `npm run client` has written, as `call` does. An error is no exception: the
 * client's types tell the responses apart by their status.
 *
 * @returns the status, the headers, and the body: JSON, text, or a Blob, as its content type says
 * @throws {CallError} if there is no response, and for a JSON body that cannot be read
 * @example
 * type Stock = { status: 200; data: { count: number } } | { status: 404; data: { code: string } }
 * const stockOf = (item: string) =>
 *   callOperation<Stock>(`/stock/${encodeURIComponent(item)}`, { base: 'https://warehouse.example.com' })
 */
export async function callOperation<Result>(path: string, init: CallOptions): Promise<Result> {
  const { callService, readData } = await import('./call-service.ts')
  const response = await callService(path, init)
  const data = await readData(path, init, response)
  return { data, status: response.status, headers: response.headers } as Result
}
