import type { RouteConfig } from '@hono/zod-openapi'
import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { bareType, isJson, rangesOf } from './media-type.ts'
import { formReader, isForm } from './read-form.ts'
import { jsonReader } from './read-json.ts'
import { textReader } from './read-text.ts'
import type { Step } from './validation.ts'

/** The body that a route states. */
export type StatedBody = NonNullable<NonNullable<RouteConfig['request']>['body']>

/** What a body may hold, where that is not the usual. */
export interface BodyLimits {
  /** Of JSON; 100,000 if absent. */
  readonly values?: number | undefined
  /** Of a form; 100 if absent. */
  readonly files?: number | undefined
}

/**
 * Reads a body of one of the stated types, the nearest first: 415 for another type, or none; 400 for what cannot be
 * read or does not fit. The handler finds it by `c.req.valid('json')`, `'form'` or `'text'`; what has no schema it reads
 * itself. A body of no bytes is none: it passes, whatever its type, where the body is not `required`.
 *
 * @param body what the route states (see `checkBody`)
 * @param limits of what is read, beside its bytes
 */
export function readBody(body: StatedBody, limits: BodyLimits = {}): Step {
  const readers = new Map(
    Object.entries(body.content).map(([type, media]) => {
      const schema =
        media && 'schema' in media && media.schema instanceof z.ZodType ? media.schema : undefined
      return [type, schema && readerOf(type, schema, limits)]
    }),
  )
  const types = [...readers.keys()].join(', ')

  return async function readBody(c) {
    const type = bareType(c.req.header('content-type') ?? '')
    const stated = [...rangesOf(type)].find((range) => readers.has(range))
    const reader = stated === undefined ? undefined : readers.get(stated)
    const mayMiss = !body.required && (reader || !stated)
    if (mayMiss && (await c.req.arrayBuffer()).byteLength === 0) return
    if (!stated || !isPlainUtf8(c)) throw unsupported(c, types)
    await reader?.(c)
  }
}

function readerOf(type: string, schema: z.ZodType, { values, files }: BodyLimits): Step {
  if (isJson(type)) return jsonReader(schema, values)
  return isForm(type) ? formReader(schema, files) : textReader(schema)
}

function isPlainUtf8(c: Context<BaseEnv>): boolean {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(c.req.header('content-type') ?? '')?.[1] ?? 'utf-8'
  return /^(utf-?8|us-ascii)$/i.test(charset) && !isEncoded(c)
}

function isEncoded(c: Context<BaseEnv>): boolean {
  return (c.req.header('content-encoding') ?? 'identity').toLowerCase() !== 'identity'
}

/**
 * The refusal of a body's type or encoding. Its headers say what is taken instead.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16
 * @see https://www.rfc-editor.org/rfc/rfc5789#section-2.2
 */
function unsupported(c: Context<BaseEnv>, types: string): Problem {
  const detail = `Send one of: ${types}. In UTF-8, without a Content-Encoding.`
  const headers = isEncoded(c)
    ? { 'Accept-Encoding': 'identity' }
    : { Accept: types, ...(c.req.method === 'PATCH' && { 'Accept-Patch': types }) }
  return new Problem(problems.UNSUPPORTED_MEDIA_TYPE, { detail, headers })
}
