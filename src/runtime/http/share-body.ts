import type { Context } from 'hono'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { bareType } from './media-type.ts'
import { parseJson } from './parse-json.ts'
import type { BodyLimits } from './read-body.ts'
import type { BodyBytes } from './read-bytes.ts'
import { isForm, parsePairs } from './read-form.ts'

/**
 * Makes all ways to read the body share one reading: those of `c.req` and of `c.req.raw`, as often as they are called. A
 * body that is not JSON, or not a form, is a problem of the caller.
 *
 * @param read is called once, at the first use
 * @param limits what JSON or a form may hold
 */
export function shareBody(
  c: Context<BaseEnv>,
  read: () => Promise<BodyBytes>,
  limits: BodyLimits = {},
): void {
  const type = c.req.header('content-type') ?? ''
  let form: Promise<FormData> | undefined
  let reading: Promise<BodyBytes> | undefined
  const bytes = () => (reading ??= read())
  const formData = () => (form ??= bytes().then((body) => parseForm(body, type, limits.files)))
  const methods: Record<string, () => Promise<unknown>> = {
    bytes,
    arrayBuffer: async () => (await bytes()).buffer,
    text: async () => new TextDecoder().decode(await bytes()),
    json: async () => parseJson(c, await bytes(), limits.values).value,
    blob: async () => new Blob([await bytes()], { type }),
    formData,
  }
  for (const name in methods) {
    Object.defineProperty(c.req, name, { value: methods[name] })
    Object.defineProperty(c.req.raw, name, { value: methods[name] })
  }
  c.req.bodyCache = new FormCache(formData) as unknown as typeof c.req.bodyCache
}

/**
 * What `c.req.parseBody()` reads. Its getter is of a class: V8 puts the getter of a single object into the old generation, where
 * it keeps all that it reaches, the whole request, until a full collection (decision 43).
 */
class FormCache {
  readonly #read: () => Promise<FormData>

  constructor(read: () => Promise<FormData>) {
    this.#read = read
  }

  get formData(): Promise<FormData> {
    return this.#read()
  }
}

function parseForm(bytes: BodyBytes, type: string, maxFiles?: number): FormData {
  if (!isForm(bareType(type)))
    throw new Problem(problems.MALFORMED_REQUEST, { detail: 'The body is not a form.' })
  const form = new FormData()
  for (const [name, value] of parsePairs(Buffer.from(bytes.buffer), type, maxFiles)) {
    if (value instanceof File) form.append(name, value)
    else form.append(name, String(value))
  }
  return form
}
