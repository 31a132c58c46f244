import { randomUUID } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import type { BaseEnv } from './env.ts'
import { smallBytes } from './memory-budget.ts'
import { reserveResponse } from './request-memory.ts'
import { stateOf } from './request-state.ts'
import { checkHeader, checkStatus } from './response-head.ts'

/**
 * For browsers, on every answer.
 *
 * @see https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
 */
const browserHeaders = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'SAMEORIGIN',
}

/** How a response is framed is the server's to say, and its id is the request's. */
const notForWriters = /^(content-length|transfer-encoding|trailer|x-request-id)$/i

/**
 * Gives every answer its `X-Request-Id` (the caller's own where it is a plain one) and the headers that
 * protect browsers. `write` puts them on as the answer is made; other answers get them here.
 */
export function responseHeaders(): MiddlewareHandler<BaseEnv> {
  return async function responseHeaders(c, next) {
    const given = c.req.header('x-request-id')
    const requestId = given && /^[\w=-]{1,255}$/.test(given) ? given : randomUUID()
    const headers: Record<string, string> = { ...browserHeaders, 'X-Request-Id': requestId }
    c.set('requestId', requestId)
    stateOf(c).responseHeaders = headers
    noteHeaders(c)
    await next()
    if ('touched' in c.res) return // has them from `write`
    for (const [name, value] of Object.entries(headers))
      if (name === 'X-Request-Id' || !c.res.headers.has(name)) setHeader(c, name, value)
  }
}

/**
 * Notes that `c.header()` was called, by whomever: what it sets is in Hono's own hands. Defined, not assigned: where each
 * request assigns a function of its own, V8's young collections keep what requests have left behind, a tenth of all that
 * is allocated, until a full one.
 */
function noteHeaders(c: Context<BaseEnv>): void {
  const { header } = c
  Object.defineProperty(c, 'header', {
    value: (...args: Parameters<typeof header>) => {
      stateOf(c).headersSet = true
      header(...args)
    },
  })
}

/** What came from `fetch` is immutable: Hono makes it anew. */
function setHeader(c: Context, name: string, value: string): void {
  try {
    c.res.headers.set(name, value)
  } catch {
    c.header(name, value)
  }
}

/** Headers by name. */
export type WrittenHeaders = Readonly<Record<string, string | readonly string[]>>

/**
 * Makes an answer whose text is at hand, with all its headers at once: on the way of every reply and problem,
 * where a `Headers` object filled by one middleware after another was the largest single cost.
 *
 * @param type the content type
 * @param headers their values by name; a list for one that is sent more than once, such as `Set-Cookie`
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
  const all: Record<string, string> = { ...stateOf(c).responseHeaders }
  let lists: [string, readonly string[]][] | undefined
  for (const name in headers) {
    const value = headers[name]
    if (Array.isArray(value)) {
      lists ??= []
      lists.push([name, value])
    } else {
      checkHeader(name, value)
      if (!notForWriters.test(name)) put(all, name, value as string)
    }
  }
  put(all, 'Content-Type', type)
  all['Content-Length'] = String(length)
  // Node would copy a long text twice on its way to the socket, but no bytes
  const response = new (writtenResponse())(length > smallBytes ? Buffer.from(text) : text, {
    status,
    headers: all,
  })
  for (const [name, values] of lists ?? []) {
    response.headers.delete(name)
    for (const value of values) {
      checkHeader(name, value)
      response.headers.append(name, value)
    }
  }
  stateOf(c).written = { response, length }
  return response
}

/** Sets a header in the place of one whose name is written otherwise: both would be sent. */
function put(all: Record<string, string>, name: string, value: string): void {
  if (!(name in all))
    for (const other in all)
      if (other.length === name.length && other.toLowerCase() === name.toLowerCase()) delete all[other]
  all[name] = value
}

/** What `write` makes: it remembers whether anyone has asked for its headers, and so may have changed them. */
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
let made: ReturnType<typeof below> | undefined

/** Made of the `Response` of the moment: the server puts a lighter one in place of Node's. */
function writtenResponse(): ReturnType<typeof below> {
  if (made && base === Response) return made
  base = Response
  made = below(base)
  return made
}
