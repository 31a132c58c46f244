import type { Context } from 'hono'
import type { Caller } from '../auth/caller.ts'
import type { BaseEnv } from './env.ts'
import { stateOf } from './request-state.ts'
import { checkHeader } from './response-head.ts'

/** What a header's function finds in `c`: no caller where the route is public, or where the request was refused before. */
interface HeaderEnv extends BaseEnv {
  Variables: BaseEnv['Variables'] & { readonly caller?: Caller | undefined }
}

/** The value of a header for this request; `undefined` leaves it out. */
export type HeaderOf = (c: Context<HeaderEnv>) => string | undefined

/** Headers of every response by name: a value, or a function of the request that gives one. */
export type ResponseHeaders = Readonly<Record<string, string | HeaderOf>>

/**
 * For browsers.
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

/** Headers that no service can put on every response, and what to do instead. */
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

/** Gives each request the headers that its response carries, whoever makes it. */
type StartHeaders = (c: Context<BaseEnv>, requestId: string) => void

/**
 * The headers of every response: those that protect browsers, and the service's own, which may replace them.
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
 * The service's own headers that are the same for all requests: what the server itself responds with has them too.
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
 * The headers that the response to this request carries, whoever makes it. Functions are called once. A header whose
 * function fails is left out, and the log says why.
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

/** Puts the headers of every response on one that has been made without them. */
export function addEveryHeader(c: Context<BaseEnv>): void {
  for (const [name, value] of Object.entries(headersOfEveryResponse(c)))
    if (name === 'X-Request-Id' || !c.res.headers.has(name)) setHeader(c, name, value)
}

/** What came from `fetch` is immutable: Hono makes a new response of it. */
function setHeader(c: Context, name: string, value: string): void {
  try {
    c.res.headers.set(name, value)
  } catch {
    c.header(name, value)
  }
}

/** Sets a header in the place of one whose name is written otherwise: both would be sent. */
export function putHeader(all: Record<string, string>, name: string, value: string): void {
  if (!(name in all))
    for (const other in all)
      if (other.length === name.length && other.toLowerCase() === name.toLowerCase()) delete all[other]
  all[name] = value
}
