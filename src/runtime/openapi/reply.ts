import type { RouteConfig } from '@hono/zod-openapi'
import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { write } from '../http/answer-headers.ts'
import type { BaseEnv } from '../http/env.ts'

/** What happens to a key that a reply's schema does not name: it is dropped, or the reply is a 500. */
export type ReplyCheck = 'strip' | 'fail'

type ReplyInit = number | { status?: number; headers?: Headers | Record<string, string> }
type Handler = (c: Context<BaseEnv>) => Response | Promise<Response>

/**
 * Wraps a handler so that what it answers is what its route states: status, content type, and a body that fits
 * the schema. `c.json` is checked before it is written; a JSON body made in another way is read back.
 *
 * @throws {Error} naming the operation and the mismatch, never the values; it becomes a 500
 */
export function checkReplies(
  operation: string,
  responses: RouteConfig['responses'],
  mode: ReplyCheck,
  handler: Handler,
): Handler {
  const stated = new Map(
    Object.entries(responses).map(([status, response]) => [Number(status), contentOf(response)]),
  )

  /** What the route states for a content type (or none) at this status. */
  function schemaAt(status: number, type?: string): unknown {
    const content = stated.get(status)
    if (!content) throw new Error(`${operation} answered ${status}, which its route does not state`)
    if (type === undefined && content.size === 0) return undefined
    for (const range of rangesOf(type)) if (content.has(range)) return content.get(range)
    const what = type ?? 'no content type'
    throw new Error(`${operation} answered ${status} with ${what}, which its route does not state`)
  }

  function check(status: number, body: unknown, type = 'application/json'): string {
    const schema = schemaAt(status, type)
    if (!(schema instanceof z.ZodType)) return JSON.stringify(body)
    const parsed = mode === 'strip' ? parseStripped(schema, body) : schema.safeParse(body)
    if (!parsed.success) throw new Error(`${operation} answered ${status} with ${mismatch(parsed.error)}`)
    const unknown = mode === 'fail' ? droppedKey(body, parsed.data, '') : undefined
    if (unknown)
      throw new Error(`${operation} answered ${status} with a key that its schema does not name: ${unknown}`)
    return JSON.stringify(parsed.data)
  }

  return async function checkedHandler(c) {
    let written: Response | undefined
    let touched = false
    const { header } = c
    replace(c, 'header', (...args: Parameters<typeof header>) => {
      touched = true
      header(...args)
    })
    replace(c, 'json', (body: unknown, init?: ReplyInit, headers?: Record<string, string>) => {
      const status = (typeof init === 'number' ? init : init?.status) ?? 200
      const text = check(status, body)
      const all =
        typeof init === 'object' ? { ...Object.fromEntries(new Headers(init.headers)), ...headers } : headers
      written = write(c, status, 'application/json', text, all)
      // what c.header() set is in Hono's own hands: it has to make this answer
      if (touched) written = c.body(text, status as 200, Object.fromEntries(written.headers))
      return written
    })

    const response = await handler(c)
    if (response === written) return response
    const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
    if (type && isJson(type)) {
      const body = await response.json().catch(() => {
        throw new Error(`${operation} answered ${response.status} with a body that is not JSON`)
      })
      const text = check(response.status, body, type)
      return new Response(text, {
        status: response.status,
        headers: without(response.headers, 'content-length'),
      })
    }
    schemaAt(response.status, type)
    return response
  }
}

/**
 * Defined, not assigned: where each request assigns a function of its own, V8's young collections keep what requests
 * have left behind, a tenth of all that is allocated, until a full one.
 */
function replace(c: Context<BaseEnv>, method: 'header' | 'json', value: unknown): void {
  Object.defineProperty(c, method, { value })
}

/** The schemas of a response by content type. */
function contentOf(response: RouteConfig['responses'][string]): Map<string, unknown> {
  const content = 'content' in response ? Object.entries(response.content ?? {}) : []
  return new Map(
    content.map(([type, media]) => [
      type.toLowerCase(),
      media && 'schema' in media ? media.schema : undefined,
    ]),
  )
}

/** What a content type may be stated as, the nearest first. */
function* rangesOf(type: string | undefined): Generator<string> {
  if (type === undefined) return
  yield type
  yield type.replace(/\/.*/, '/*')
  yield '*/*'
}

/** Drops the keys that a strict object refuses, as others drop them by themselves. */
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

function isJson(type: string): boolean {
  return /^application\/([\w.-]+\+)?json$/.test(type)
}

function without(headers: Headers, name: string): Headers {
  const rest = new Headers(headers)
  rest.delete(name)
  return rest
}

function mismatch(error: z.ZodError): string {
  const [issue] = error.issues
  return `a body that does not fit its schema: ${issue?.path.join('.') || 'the top level'}: ${issue?.message}`
}

/** Where `parsed` lacks a key that `given` has. */
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
