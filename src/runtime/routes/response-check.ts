import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { bodyFirst, defaultContentType } from '../http/default-content-type.ts'
import type { BaseEnv } from '../http/env.ts'
import { bareType, isJson, rangesOf } from '../http/media-type.ts'
import { withPreparedHeaders, writeResponse } from '../http/response.ts'
import { type DeclaredResponse, declaredResponses } from './declared-responses.ts'
import type { Responses } from './route.ts'

/** What happens to a key that the schema of a response does not have: it is dropped, or the response is a 500. */
export type ReplyCheck = 'strip' | 'fail'

/** Headers that are wrong after a body was read and written again. (`fetch` decodes a body, but keeps its headers.) */
const ofTheBody = ['content-length', 'content-encoding']

type HeaderRecord = Record<string, string | string[]>
type ResponseInitOrStatus = number | { status?: number; headers?: Headers | HeaderRecord }
type Handler = (c: Context<BaseEnv>) => Response | Promise<Response>

/**
 * Wraps a handler with a check that its response is as its route declares: the status, the content type, the headers, and
 * a body that fits the schema. The body of `c.json` is checked before it is written. A JSON body that is created in another
 * way is read again.
 *
 * @throws {Error} naming the operation and the difference, never the values. It becomes a 500. In the mode `strip`, a
 * wrong or missing header is only a warning in the log
 */
export function checkResponses(
  operation: string,
  responses: Responses,
  mode: ReplyCheck,
  handler: Handler,
): Handler {
  const stated = declaredResponses(responses)

  function declaredAt(status: number): DeclaredResponse {
    const found = stated(status)
    if (!found)
      throw new Error(
        `${operation} responded with ${status}, which its route does not declare: add it to \`responses\``,
      )
    return found
  }

  /** The schema that the route declares for a content type at this status. */
  function schemaOf({ content }: DeclaredResponse, status: number, type: string | undefined): unknown {
    if (type === undefined && content.size === 0) return undefined
    if (type !== undefined)
      for (const range of rangesOf(type)) if (content.has(range)) return content.get(range)
    const what = type ?? 'no content type'
    throw new Error(
      `${operation} responded with ${status} and ${what}, which its route does not declare: add it to \`responses\``,
    )
  }

  function check(schema: unknown, status: number, body: unknown): string {
    if (!(schema instanceof z.ZodType)) return JSON.stringify(body)
    const parsed = mode === 'strip' ? parseStripped(schema, body) : schema.safeParse(body)
    if (!parsed.success)
      throw new Error(`${operation} responded with ${status} and ${mismatch(parsed.error)}`)
    const unknown = mode === 'fail' ? droppedKey(body, parsed.data, '') : undefined
    if (unknown)
      throw new Error(
        `${operation} responded with ${status} and a key that its schema does not have: ${unknown}`,
      )
    return JSON.stringify(parsed.data)
  }

  function checkHeaders(
    c: Context<BaseEnv>,
    { headers }: DeclaredResponse,
    status: number,
    sent: (name: string) => string | null,
  ) {
    for (const { name, required, complaint } of headers) {
      const text = sent(name)
      const wrong = text === null ? undefined : complaint(text)
      if (text === null ? !required : wrong === undefined) continue
      const message =
        text === null
          ? `${operation} responded with ${status} without the header ${name}, which its route declares`
          : `${operation} responded with ${status} and a header that does not fit its schema: ${name}: ${wrong}`
      if (mode === 'fail') throw new Error(message)
      c.get('log').warn(message)
    }
  }

  return async function checkedHandler(c) {
    let written: Response | undefined
    define(c, 'json', (body: unknown, init?: ResponseInitOrStatus, headers?: HeaderRecord) => {
      const status = (typeof init === 'number' ? init : init?.status) ?? 200
      const given = typeof init === 'object' ? { ...recordOf(init.headers), ...headers } : headers
      const found = declaredAt(status)
      const typed = nameOf(given, 'content-type')
      const type = (typed && String(given?.[typed])) || jsonTypeOf(found)
      const all = typed ? omit(given, typed) : given
      const text = check(schemaOf(found, status, bareType(type)), status, body)
      const response = writeResponse(c, status, type, text, withPreparedHeaders(c, all))
      checkHeaders(c, found, status, (name) => textOf(all, name) ?? response.headers.get(name))
      written = response
      return response
    })

    const response = await handler(c)
    if (!response) throw new Error(`${operation} returned no response`)
    // Hono sends c.res, whatever the handler returns
    if (c.finalized)
      throw new Error(`${operation} set c.res, which is not checked: return the response instead`)
    if (response === written) return response
    bodyFirst(response)
    const { status } = response
    const found = declaredAt(status)
    checkHeaders(c, found, status, (name) => response.headers.get(name))
    const given = response.headers.get('content-type')
    const type = given === null ? (response.body ? defaultContentType : undefined) : bareType(given)
    if (type === undefined && c.req.method === 'HEAD') return response
    const schema = schemaOf(found, status, type)
    if (type === undefined || !isJson(type) || !(schema instanceof z.ZodType)) return response
    const body = await response.json().catch((error) => {
      if (!(error instanceof SyntaxError)) throw error // a SyntaxError quotes the body
      throw new Error(`${operation} responded with ${status} and a body that is not JSON`)
    })
    return new Response(check(schema, status, body), {
      status,
      headers: without(response.headers, ...ofTheBody),
    })
  }
}

/** The content type of `c.json` if the handler gives none: the JSON type that the route declares. */
function jsonTypeOf({ content }: DeclaredResponse): string {
  if (content.size === 0 || content.has('application/json')) return 'application/json'
  return [...content.keys()].find(isJson) ?? 'application/json'
}

function omit(headers: HeaderRecord | undefined, name: string): HeaderRecord {
  return Object.fromEntries(Object.entries(headers ?? {}).filter(([other]) => other !== name))
}

/** The name of a header as the record has it, found without regard to case. */
function nameOf(headers: HeaderRecord | undefined, wanted: string): string | undefined {
  for (const name in headers) if (name.toLowerCase() === wanted) return name
  return undefined
}

/** The value of a header as it is sent. `wanted` is in lower case. */
function textOf(headers: HeaderRecord | undefined, wanted: string): string | null {
  const name = nameOf(headers, wanted)
  const value = name === undefined ? undefined : headers?.[name]
  return value === undefined ? null : [value].flat().join(', ')
}

/** Headers by name, with a list of the cookies. */
function recordOf(headers: Headers | HeaderRecord | undefined): HeaderRecord {
  if (!(headers instanceof Headers)) return headers ?? {}
  const cookies = headers.getSetCookie()
  return { ...Object.fromEntries(headers), ...(cookies.length > 0 && { 'set-cookie': cookies }) }
}

/**
 * Uses defineProperty, not an assignment: where each request assigns a function of its own, V8's young collections keep what requests have
 * left behind, a tenth of all that is allocated, until a full one.
 */
function define(c: Context<BaseEnv>, method: 'json', value: unknown): void {
  Object.defineProperty(c, method, { value })
}

/** Validates a body. Unknown keys of strict objects are dropped, as other objects drop them. */
function parseStripped(schema: z.ZodType, body: unknown) {
  const parsed = schema.safeParse(body)
  const issues = parsed.error?.issues.filter((issue) => issue.code === 'unrecognized_keys') ?? []
  if (issues.length === 0) return parsed
  const copy = structuredClone(body)
  for (const { path, keys } of issues) {
    const place = path.reduce((inner, step) => Reflect.get(inner as object, step), copy)
    for (const key of keys) Reflect.deleteProperty(place as object, key)
  }
  return schema.safeParse(copy)
}

function without(headers: Headers, ...names: readonly string[]): Headers {
  const rest = new Headers(headers)
  for (const name of names) rest.delete(name)
  return rest
}

function mismatch(error: z.ZodError): string {
  const [issue] = error.issues
  return `a body that does not fit its schema: ${issue?.path.join('.') || 'the top level'}: ${issue?.message}`
}

/** The path of the first key that `given` has and `parsed` lacks. */
function droppedKey(given: unknown, parsed: unknown, path: string): string | undefined {
  if (typeof given !== 'object' || given === null || typeof parsed !== 'object' || parsed === null)
    return undefined
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue
    const place = path ? `${path}.${key}` : key
    if (!Object.hasOwn(parsed, key)) return place
    const deeper = droppedKey(value, (parsed as Record<string, unknown>)[key], place)
    if (deeper) return deeper
  }
  return undefined
}
