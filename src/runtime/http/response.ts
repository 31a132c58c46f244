import type { Context } from 'hono'
import type { BaseEnv } from './env.ts'
import { smallBytes } from './memory-budget.ts'
import { reserveResponse } from './request-memory.ts'
import { type KnownBody, stateOf } from './request-state.ts'
import { checkHeader, checkStatus } from './response-head.ts'
import { headersOfEveryResponse, putHeader } from './response-headers.ts'

// Nearly all responses (`c.json` and problems) are a short text with a few headers. This file writes them with all their
// headers at once, and they are not read again. Measured on the bundle, by the CPU time of its process (Node.js 24, 16
// connections, versions interleaved, 320 samples each): setting headers in middleware afterwards costs 16 to 20 % of the
// CPU of a GET with a token and of a 401, because a `Headers` object is filled, sorted and read. Checking an unchanged
// `Headers` object costs 10 to 17 %.

/** Headers by name. A list is for a header that is sent several times, such as `Set-Cookie`. */
export type WrittenHeaders = Readonly<Record<string, string | readonly string[]>>

/** Headers that callers cannot set: the server frames the response, and the request's id must be that of the log. */
const notForWriters = /^(content-length|transfer-encoding|trailer|x-request-id)$/i

/**
 * Writes a response with a text, with all its headers at once.
 *
 * @param type the content type
 * @param headers the values by name. They replace the headers of every response
 * @throws {Error} for a status or a header that HTTP cannot carry
 * @throws {Problem} OVERLOADED if other requests hold too much memory
 */
export function writeResponse(
  c: Context<BaseEnv>,
  status: number,
  type: string,
  text: string,
  headers: WrittenHeaders = {},
): Response {
  checkStatus(status)
  const length = Buffer.byteLength(text)
  reserveResponse(c, length)
  const all: Record<string, string> = { ...headersOfEveryResponse(c) }
  let lists: [string, readonly string[]][] | undefined
  for (const name in headers) {
    const value = headers[name]
    if (Array.isArray(value)) {
      lists ??= []
      lists.push([name, value])
    } else {
      checkHeader(name, value)
      if (!notForWriters.test(name)) putHeader(all, name, value as string)
    }
  }
  putHeader(all, 'Content-Type', type)
  all['Content-Length'] = String(length)
  // Node would copy a long text twice on its way to the socket, but not bytes
  const body = length > smallBytes ? Buffer.from(text) : text
  const response = new (writtenResponse())(body, { status, headers: all })
  stateOf(c).body = { response, content: body, length, headers: all }
  for (const [name, values] of lists ?? []) {
    response.headers.delete(name)
    for (const value of values) {
      checkHeader(name, value)
      response.headers.append(name, value)
    }
  }
  return response
}

/**
 * Adds the headers that `c.header()` and Hono's helpers (`setCookie`) have set. The given headers have precedence. Hono shows
 * the prepared headers only in a response.
 */
export function withPreparedHeaders(
  c: Context<BaseEnv>,
  headers: Record<string, string | string[]> | undefined,
): WrittenHeaders | undefined {
  const { headers: prepared } = c.newResponse(null)
  let all = headers
  for (const [name, value] of prepared)
    if (!hasHeader(headers, name))
      all = { ...all, [name]: name === 'set-cookie' ? prepared.getSetCookie() : value }
  return all
}

/** Records that the response has no body. */
export function setNoBody(c: Context): void {
  stateOf(c).body = { response: c.res, content: null, length: 0 }
}

/** The response's body with its length in bytes; `undefined` if the body is not complete. Its headers are not read. */
export function knownBody(c: Context): KnownBody | undefined {
  const body = stateOf(c).body
  return body?.response === c.res ? body : undefined
}

/** The length of the response's body in bytes, without reading its headers; `undefined` if it is unknown. */
export function bodyLength(c: Context): number | undefined {
  return knownBody(c)?.length
}

/** The length of the latest complete body, even if another response has replaced that response. */
export function latestBodyLength(c: Context): number | undefined {
  return stateOf(c).body?.length
}

/** Replaces the response. (If `c.res` were only assigned, Hono would copy the headers of the previous response.) */
export function replaceResponse(c: Context, response: Response): void {
  c.res = undefined
  c.res = response
}

/** The headers of the response, not to be changed. Of an unchanged `writeResponse`, the response itself is not asked. */
export function headersOf(c: Context): Headers {
  return new Headers(writtenHeaders(c) ?? c.res.headers)
}

/** The value of a header of the response, as `headersOf` has it. @param name in lower case */
export function headerOf(c: Context, name: string): string | null {
  const headers = writtenHeaders(c)
  if (!headers) return c.res.headers.get(name)
  for (const other in headers) if (other.toLowerCase() === name) return headers[other] ?? null
  return null
}

/** Sets headers of a response whose body is known, and replaces its body if bytes are given. */
export function changeResponse(
  c: Context,
  changes: Readonly<Record<string, string>>,
  bytes?: Uint8Array<ArrayBuffer>,
): void {
  const { status } = c.res
  const content = bytes ?? knownBody(c)?.content ?? ''
  const written = writtenHeaders(c)
  if (!written) {
    const headers = new Headers(c.res.headers)
    for (const [name, value] of Object.entries(changes)) headers.set(name, value)
    return void replaceBody(c, content, { status, headers })
  }
  const length = Buffer.byteLength(content)
  const headers = { ...written, 'Content-Length': String(length) }
  for (const [name, value] of Object.entries(changes)) putHeader(headers, name, value)
  replaceResponse(c, new (writtenResponse())(content, { status, headers }))
  stateOf(c).body = { response: c.res, content, length, headers }
}

/** Replaces the response by one with this body, and sets its `Content-Length`. */
export function replaceBody(c: Context, content: string | Uint8Array<ArrayBuffer>, head: ResponseInit): void {
  const length = Buffer.byteLength(content)
  const headers = new Headers(head.headers)
  headers.set('Content-Length', String(length))
  replaceResponse(c, new Response(content, { ...head, headers }))
  stateOf(c).body = { response: c.res, content, length }
}

/** The headers that `writeResponse` gave the response, if they were not read since, and so may have been changed. */
function writtenHeaders(c: Context): Readonly<Record<string, string>> | undefined {
  return isPrepared(c) ? knownBody(c)?.headers : undefined
}

/** Whether the response needs no check: `writeResponse` has created it, and it was not changed since. */
export function isPrepared(c: Context): boolean {
  return bodyLength(c) !== undefined && 'touched' in c.res && c.res.touched === false
}

/** Whether the response has the headers of every response already. */
export function hasEveryHeader({ res }: Context): boolean {
  return 'touched' in res
}

/** Creates the class of `writeResponse`'s responses. It records whether its headers were read, and so may have changed. */
function below(Base: typeof Response) {
  class WrittenResponse extends Base {
    touched = false
  }
  // TypeScript does not declare `headers` as an accessor, so it cannot be overridden in the class
  Object.defineProperty(WrittenResponse.prototype, 'headers', {
    get(this: WrittenResponse) {
      this.touched = true
      return Reflect.get(Base.prototype, 'headers', this)
    },
  })
  return WrittenResponse
}

let base: typeof Response | undefined
let written: ReturnType<typeof below> | undefined

/** The class, derived from the current `Response`: the server replaces Node's by a lighter one. */
function writtenResponse(): ReturnType<typeof below> {
  if (written && base === Response) return written
  base = Response
  written = below(base)
  return written
}

/** @param wanted the name in lower case */
function hasHeader(headers: WrittenHeaders | undefined, wanted: string): boolean {
  for (const name in headers) if (name.toLowerCase() === wanted) return true
  return false
}
