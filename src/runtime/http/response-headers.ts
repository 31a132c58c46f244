import type { Context } from 'hono'
import type { BaseEnv, CallerEnv } from './env.ts'
import { stateOf } from './request-state.ts'
import { checkHeader } from './response-head.ts'

/** Computes the value of a header for a request; `undefined` leaves the header out. A refused request has no caller. */
export type HeaderOf = (c: Context<CallerEnv>) => string | undefined

/** Headers of every response by name: a value, or a function that computes it for a request. */
export type ResponseHeaders = Readonly<Record<string, string | HeaderOf>>

/**
 * Headers that protect browsers.
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

/** Headers that a service cannot add to every response, and what to do instead. */
const refused: readonly [names: RegExp, instead: string][] = [
  [
    /^(content-(disposition|encoding|length|location|range|type)|transfer-encoding|trailer|connection|keep-alive|upgrade|date)$/,
    'each response has its own',
  ],
  [/^x-request-id$/, 'it is the request’s id, as the log has it'],
  [/^strict-transport-security$/, 'the runtime sends it: set HSTS_INCLUDE_SUBDOMAINS'],
  [/^access-control-/, 'CORS sends it: set CORS_ORIGINS'],
  [/^(vary|set-cookie)$/, 'set it in a route or a middleware, which adds to the values of others'],
]

/** Sets the headers that the response to a request will have. */
type StartHeaders = (c: Context<BaseEnv>, requestId: string) => void

/**
 * Prepares the headers of every response: those that protect browsers, and the service's own, which may replace them.
 *
 * @throws {Error} naming a header that cannot be on every response, or that HTTP cannot carry
 */
export function everyResponseHeaders(own: ResponseHeaders = {}): StartHeaders {
  const fixed: Record<string, string> = { ...browserHeaders }
  for (const [name, value] of Object.entries(fixedHeaders(own))) putHeader(fixed, name, value)
  const computed = Object.entries(own).filter(
    (entry): entry is [string, HeaderOf] => typeof entry[1] !== 'string',
  )
  return (c, requestId) => {
    const state = stateOf(c)
    state.responseHeaders = { ...fixed, 'X-Request-Id': requestId }
    if (computed.length > 0) state.computedHeaders = computed
  }
}

/**
 * The service's own headers that are the same for all requests. Responses of the server itself have them too.
 *
 * @throws {Error} as `everyResponseHeaders` does
 */
export function fixedHeaders(own: ResponseHeaders = {}): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(own)) {
    const [, instead] = refused.find(([names]) => names.test(name.toLowerCase())) ?? []
    if (instead) throw new Error(`The header ${name} cannot be on every response: ${instead}.`)
    checkHeader(name, typeof value === 'function' ? '' : value)
    if (typeof value === 'string') putHeader(headers, name, value)
  }
  return headers
}

/**
 * The headers that the response to this request must have. Functions are called once. If a function fails, its header is
 * left out, and the error is logged.
 */
export function headersOfEveryResponse(c: Context<BaseEnv>): Readonly<Record<string, string>> {
  const state = stateOf(c)
  const { responseHeaders, computedHeaders } = state
  if (!computedHeaders) return responseHeaders
  state.computedHeaders = undefined
  for (const [name, compute] of computedHeaders) {
    try {
      const value = compute(c)
      if (value === undefined) continue
      checkHeader(name, value)
      putHeader(responseHeaders, name, value)
    } catch (error) {
      c.get('log').error({ err: error }, `The header ${name} is left out of a response: its function failed`)
    }
  }
  return responseHeaders
}

/** Adds the headers of every response to a response that was created without them. */
export function addEveryHeader(c: Context<BaseEnv>): void {
  for (const [name, value] of Object.entries(headersOfEveryResponse(c)))
    if (name === 'X-Request-Id' || !c.res.headers.has(name)) setHeader(c, name, value)
}

/** Sets a header. The headers of a response from `fetch` are immutable: Hono copies the response then. */
function setHeader(c: Context, name: string, value: string): void {
  try {
    c.res.headers.set(name, value)
  } catch {
    c.header(name, value)
  }
}

/** Sets a header. Removes one whose name differs only in case, because both would be sent. */
export function putHeader(all: Record<string, string>, name: string, value: string): void {
  if (!(name in all))
    for (const other in all)
      if (other.length === name.length && other.toLowerCase() === name.toLowerCase()) delete all[other]
  all[name] = value
}
