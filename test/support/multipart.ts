import { expect } from 'vitest'
import { parseMultipart } from '#src/runtime/http/multipart.ts'
import { Problem } from '#src/runtime/kernel/problem.ts'

/** The boundary of the forms that tests write by hand. */
export const boundary = 'between-the-parts-7d1c2b'
export const type = `multipart/form-data; boundary=${boundary}`
export const part = (headers: string, value = 'x') => `--${boundary}\r\n${headers}\r\n\r\n${value}\r\n`
export const end = `--${boundary}--\r\n`
export const named = (more: string) => part(`Content-Disposition: form-data; name="a"${more}`)
export const plain = named('')

/** Parses a body. Returns its parts: a name and a text, or a name and a file as `[name, file name, type, text]`. */
export async function read(body: string | Uint8Array, contentType = type) {
  const parts = parseMultipart(Buffer.from(body as string), contentType)
  return Promise.all(
    parts.map(async ([name, value]) =>
      value instanceof File ? [name, value.name, value.type, await value.text()] : [name, value],
    ),
  )
}

/** The message of the problem that a body is refused with. @throws if it is read */
export function refusal(body: string | Uint8Array, contentType = type): string {
  try {
    parseMultipart(Buffer.from(body as string), contentType)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    expect(error.definition.status).toBe(400)
    return error.message
  }
  throw new Error('It was read')
}
