import { expect } from 'vitest'

/** A JSON object. */
export type Json = Record<string, unknown>

/**
 * Expects an answer with this status and a JSON body.
 *
 * @returns the body
 */
export async function expectJson<Body = Json>(response: Response, status = 200): Promise<Body> {
  const text = await response.text()
  expect({ status: response.status, body: text }).toMatchObject({ status })
  expect(response.headers.get('content-type')).toBe('application/json')
  return JSON.parse(text) as Body
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
