import { expect } from 'vitest'
import { z } from 'zod'

/** A JSON object. */
export type Json = Record<string, unknown>

/**
 * Expects a response with this status and a JSON body: `const note = await expectJson(response, 201, Note)`.
 *
 * @param status 200, if absent
 * @param schema what the body must be: its type is that of what is returned
 * @returns the body, as the schema parses it, or as it is
 */
export async function expectJson<Schema extends z.ZodType>(
  response: Response,
  status: number,
  schema: Schema,
): Promise<z.output<Schema>>
export async function expectJson<Body = Json>(response: Response, status?: number): Promise<Body>
export async function expectJson(response: Response, status = 200, schema?: z.ZodType): Promise<unknown> {
  const text = await response.text()
  expect({ status: response.status, body: text }).toMatchObject({ status })
  expect(response.headers.get('content-type')).toBe('application/json')
  const body: unknown = JSON.parse(text)
  if (!schema) return body
  const parsed = schema.safeParse(body)
  if (!parsed.success) expect.fail(`${text} is not as its schema says:\n${z.prettifyError(parsed.error)}`)
  return parsed.data
}

/**
 * Expects a problem with this status and code, complete as the contract says, that leaks nothing of its cause.
 *
 * @returns the body
 */
export async function expectProblem(response: Response, status: number, code: string): Promise<Json> {
  const text = await response.text()
  expect({ status: response.status, body: text }).toMatchObject({ status })
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(response.headers.get('x-request-id')).toMatch(/^[\w=-]{1,255}$/)
  const body = JSON.parse(text) as Json
  expect(body).toMatchObject({ status, code, type: expect.stringMatching(/^urn:problem:/) })
  expect(body.title).toEqual(expect.any(String))
  expect(body.traceId).toMatch(/^[\da-f]{32}$/)
  expect(text).not.toMatch(/\bat .+:\d+:\d+|node_modules|select |insert into|postgres/i)
  return body
}
