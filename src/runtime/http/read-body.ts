import { type RouteConfig, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { bareType, isJson, rangesOf } from './media-type.ts'
import { formReader, isForm } from './read-form.ts'
import { jsonReader } from './read-json.ts'
import { textReader } from './read-text.ts'
import type { Step } from './validation.ts'

/** The body that a route declares. */
export type DeclaredBody = NonNullable<NonNullable<RouteConfig['request']>['body']>

/** Limits of a body that differ from the defaults. */
export interface BodyLimits {
  /** How many values JSON may hold; 100,000 if absent. */
  readonly values?: number | undefined
  /** How many files a form may hold; 100 if absent. */
  readonly files?: number | undefined
}

/**
 * Reads a body of one of the declared types; the closest type decides. A body of another type, or of none, gets a 415. A
 * body that cannot be read, or does not fit its schema, gets a 400. The handler gets the body by `c.req.valid('json')`,
 * `'form'` or `'text'`; a body without a schema it reads itself. An empty body counts as none: if the body is not
 * `required`, it passes, whatever its type.
 *
 * @param body what the route declares (see `checkBody`)
 * @param limits what the body may hold, beside its size
 */
export function readBody(body: DeclaredBody, limits: BodyLimits = {}): Step {
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
 * The 415 for a body's type or encoding. Its headers say what is accepted.
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
