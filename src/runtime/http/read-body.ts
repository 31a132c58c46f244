import type { RouteConfig } from '@hono/zod-openapi'
import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { BaseEnv } from './env.ts'
import { Problem, problems } from './problem.ts'
import { formReader, isForm } from './read-form.ts'
import { maybePoison, refusePoison } from './text.ts'
import { type Step, validate } from './validation.ts'

/**
 * Reads a body of one of the stated types: 415 for another type, or none; 400 for what cannot be read or does
 * not fit. The handler finds it by `c.req.valid('json')` or `c.req.valid('form')`. (zod-openapi 1.6.3 would ask
 * both schemas where a route takes both, and answer 400 to either.)
 *
 * @param body what the route states; a missing body passes where it is not `required`
 */
export function readBody(body: NonNullable<NonNullable<RouteConfig['request']>['body']>): Step {
  const schemas = new Map(
    Object.entries(body.content).map(([type, media]) => {
      const schema = media && 'schema' in media ? media.schema : undefined
      return [type.toLowerCase(), schema instanceof z.ZodType ? schema : z.unknown()]
    }),
  )
  const forms = new Map(
    [...schemas].filter(([type]) => isForm(type)).map(([type, schema]) => [type, formReader(schema)]),
  )
  const detail = `Send one of: ${[...schemas.keys()].join(', ')}. In UTF-8, without a Content-Encoding.`

  return async function readBody(c) {
    const header = c.req.header('content-type')
    if (!header && !body.required && (await c.req.arrayBuffer()).byteLength === 0) return
    const type = header?.split(';')[0]?.trim().toLowerCase() ?? ''
    const schema = schemas.get(type) ?? (isJson(type) ? schemas.get('application/json') : undefined)
    if (!schema || !isPlainUtf8(c)) throw new Problem(problems.UNSUPPORTED_MEDIA_TYPE, { detail })
    if (isJson(type)) validate(c, 'json', schema, await parseJson(c))
    else await forms.get(type)?.(c)
  }
}

async function parseJson(c: Context): Promise<unknown> {
  const bytes = await c.req.arrayBuffer()
  let text = ''
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    value = JSON.parse(text)
  } catch (cause) {
    const position = cause instanceof SyntaxError && /position \d+/.exec(cause.message)?.[0]
    const detail = `The body is not valid JSON in UTF-8${position ? ` (at ${position})` : ''}.`
    throw new Problem(problems.MALFORMED_REQUEST, { detail })
  }
  if (maybePoison(text)) refusePoison(value, 'body')
  return value
}

function isPlainUtf8(c: Context<BaseEnv>): boolean {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(c.req.header('content-type') ?? '')?.[1] ?? 'utf-8'
  const encoding = c.req.header('content-encoding') ?? 'identity'
  return /^(utf-?8|us-ascii)$/i.test(charset) && encoding.toLowerCase() === 'identity'
}

function isJson(type: string): boolean {
  return /^application\/([\w.-]+\+)?json$/.test(type)
}
