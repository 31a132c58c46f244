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
  const schemas = jsonSchemas(responses)

  function check(status: number, body: unknown): string {
    if (!(status in responses))
      throw new Error(`${operation} answered ${status}, which its route does not state`)
    const schema = schemas.get(status)
    if (!schema) throw new Error(`${operation} answered ${status} with JSON, which its route does not state`)
    const parsed = schema.safeParse(body)
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
    c.header = (...args) => {
      touched = true
      header(...args)
    }
    c.json = ((body: unknown, init?: ReplyInit, headers?: Record<string, string>) => {
      const status = (typeof init === 'number' ? init : init?.status) ?? 200
      const text = check(status, body)
      const all =
        typeof init === 'object' ? { ...Object.fromEntries(new Headers(init.headers)), ...headers } : headers
      written = write(c, status, 'application/json', text, all)
      // what c.header() set is in Hono's own hands: it has to make this answer
      if (touched) written = c.body(text, status as 200, Object.fromEntries(written.headers))
      return written
    }) as Context<BaseEnv>['json']

    const response = await handler(c)
    if (response === written) return response
    if (isJson(response)) {
      const text = check(response.status, await response.clone().json())
      return new Response(text, {
        status: response.status,
        headers: without(response.headers, 'content-length'),
      })
    }
    if (!(response.status in responses))
      throw new Error(`${operation} answered ${response.status}, which its route does not state`)
    return response
  }
}

function jsonSchemas(responses: RouteConfig['responses']): Map<number, z.ZodType> {
  const schemas = new Map<number, z.ZodType>()
  for (const [status, response] of Object.entries(responses)) {
    const content = 'content' in response ? response.content : undefined
    const media = content?.['application/json']
    const schema = media && 'schema' in media ? media.schema : undefined
    if (schema instanceof z.ZodType) schemas.set(Number(status), schema)
  }
  return schemas
}

function isJson(response: Response): boolean {
  return /^application\/([\w.-]+\+)?json\b/.test(response.headers.get('content-type') ?? '')
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
