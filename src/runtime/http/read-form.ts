import type { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { bufferToFormData } from 'hono/utils/buffer'
import { Problem, problems } from './problem.ts'
import { collect, decodePairs, listNames } from './read-parameters.ts'
import { typedText } from './typed-text.ts'
import { type Step, validate } from './validation.ts'

/** Whether a content type, in small letters and without parameters, is a form's. */
export function isForm(type: string): boolean {
  return type === 'application/x-www-form-urlencoded' || type === 'multipart/form-data'
}

/** Reads a body that is a form; the handler finds it by `c.req.valid('form')`. */
export function formReader(schema: z.ZodType): Step {
  const lists = listNames(schema)
  const typed = typedText(schema)
  return async function readForm(c) {
    validate(c, 'form', schema, typed(collect(await parseForm(c), lists, 'body')))
  }
}

async function parseForm(c: Context): Promise<Iterable<readonly [string, unknown]>> {
  const type = c.req.header('content-type') ?? ''
  const bytes = await c.req.arrayBuffer()
  try {
    if (/^\s*multipart\//i.test(type)) return await bufferToFormData(bytes, type)
    return [...decodePairs(new TextDecoder('utf-8', { fatal: true }).decode(bytes))]
  } catch {
    throw new Problem(problems.MALFORMED_REQUEST, { detail: 'The body is not a valid form.' })
  }
}
