import type { Context } from 'hono'
import type { BaseEnv } from './env.ts'
import { smallBytes } from './memory-budget.ts'
import { reserveResponse } from './request-memory.ts'
import { stateOf } from './request-state.ts'
import { checkHeader, checkStatus } from './response-head.ts'
import { headersOfEveryResponse, putHeader } from './response-headers.ts'

// Nearly all responses, `c.json` and problems, are a short text with a few headers. They are written here with all their
// headers at once, and nobody reads them again. Measured on the bundle by the CPU time of its process (Node.js 24, 16
// connections, versions interleaved, 320 samples each): headers that middleware sets afterwards cost 16 to 20 % of the
// CPU of a GET with a token and of a 401, since a `Headers` object is filled, sorted and read. To check such an object
// where nobody has changed it costs 10 to 17 %.

/** Headers by name; a list for one that is sent more than once, such as `Set-Cookie`. */
export type WrittenHeaders = Readonly<Record<string, string | readonly string[]>>

/** The server decides how a response is framed, and the request's id is that of the log. */
const notForWriters = /^(content-length|transfer-encoding|trailer|x-request-id)$/i

/**
 * Writes a response whose text is at hand, with all its headers at once.
 *
 * @param type the content type
 * @param headers their values by name. They replace what every response carries
 * @throws {Error} for a status or a header that HTTP cannot carry; OVERLOADED where others hold too much memory
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
  // Node would copy a long text twice on its way to the socket, but no bytes
  const body = length > smallBytes ? Buffer.from(text) : text
  const response = new (writtenResponse())(body, { status, headers: all })
  for (const [name, values] of lists ?? []) {
    response.headers.delete(name)
    for (const value of values) {
      checkHeader(name, value)
      response.headers.append(name, value)
    }
  }
  stateOf(c).body = { response, length }
  return response
}

/**
 * Headers, and what `c.header()` and Hono's helpers (`setCookie`) have set before, where these do not say otherwise. Hono
 * tells it by a response only.
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

/** Says that the response's body is at hand, and has so many bytes. */
export function setBodyLength(c: Context, length: number): void {
  stateOf(c).body = { response: c.res, length }
}

/** Bytes of the response's body, without a look at its headers; `undefined` where they are not known. */
export function bodyLength(c: Context): number | undefined {
  const body = stateOf(c).body
  return body?.response === c.res ? body.length : undefined
}

/** The same of the latest response whose body was at hand, though another has replaced it. */
export function latestBodyLength(c: Context): number | undefined {
  return stateOf(c).body?.length
}

/** Puts a response in the place of another. Hono would lay the other's headers over it. */
export function replaceResponse(c: Context, response: Response): void {
  c.res = undefined
  c.res = response
}

/** Puts a response whose body is at hand in the place of another, with its `Content-Length`. */
export function replaceBody(c: Context, bytes: Uint8Array<ArrayBuffer>, head: ResponseInit): void {
  const headers = new Headers(head.headers)
  headers.set('Content-Length', String(bytes.length))
  replaceResponse(c, new Response(bytes, { ...head, headers }))
  setBodyLength(c, bytes.length)
}

/** Whether the response is known to be one that HTTP can carry: `writeResponse` has made it, and nobody has changed it. */
export function isPrepared(c: Context): boolean {
  return bodyLength(c) !== undefined && 'touched' in c.res && c.res.touched === false
}

/** Whether the response has the headers that every response carries. */
export function hasEveryHeader({ res }: Context): boolean {
  return 'touched' in res
}

/** What `writeResponse` makes: it remembers whether anyone has asked for its headers, and so may have changed them. */
function below(Base: typeof Response) {
  class WrittenResponse extends Base {
    touched = false
  }
  // for TypeScript it is no accessor, which could be overridden
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

/** Made of the `Response` of the moment: the server puts a lighter one in place of Node's. */
function writtenResponse(): ReturnType<typeof below> {
  if (written && base === Response) return written
  base = Response
  written = below(base)
  return written
}

/** @param wanted in small letters */
function hasHeader(headers: WrittenHeaders | undefined, wanted: string): boolean {
  for (const name in headers) if (name.toLowerCase() === wanted) return true
  return false
}
