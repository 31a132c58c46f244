import type { Context } from 'hono'
import { bufferToFormData } from 'hono/utils/buffer'
import { Problem, problems } from './problem.ts'
import type { BodyBytes } from './read-bytes.ts'

/**
 * Lets every way to read the body of a request come from one reading: those of `c.req` and of `c.req.raw`, as often as
 * they are asked. What is no JSON, or no form, is a problem of the caller's.
 *
 * @param read is called once, when the first asks
 */
export function shareBytes(c: Context, read: () => Promise<BodyBytes>): void {
  const type = c.req.header('content-type') ?? ''
  let form: Promise<FormData> | undefined
  let reading: Promise<BodyBytes> | undefined
  const bytes = () => (reading ??= read())
  const formData = () => (form ??= bytes().then((body) => parseForm(body, type)))
  const methods: Record<string, () => Promise<unknown>> = {
    bytes,
    arrayBuffer: async () => (await bytes()).buffer,
    text: async () => new TextDecoder().decode(await bytes()),
    json: async () => parseJson(await bytes()),
    blob: async () => new Blob([await bytes()], { type }),
    formData,
  }
  for (const name in methods) {
    Object.defineProperty(c.req, name, { value: methods[name] })
    Object.defineProperty(c.req.raw, name, { value: methods[name] })
  }
  Object.defineProperty(c.req.bodyCache, 'formData', { get: formData }) // where c.req.parseBody() looks
}

function parseJson(bytes: BodyBytes): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new Problem(problems.MALFORMED_REQUEST, { detail: 'The body is not valid JSON in UTF-8.' })
  }
}

async function parseForm(bytes: BodyBytes, type: string): Promise<FormData> {
  try {
    return await bufferToFormData(bytes.buffer, type)
  } catch {
    throw new Problem(problems.MALFORMED_REQUEST, { detail: 'The body is not a valid form.' })
  }
}
