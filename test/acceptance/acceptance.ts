import { randomUUID } from 'node:crypto'
import { test as base, expect, type TestContext } from 'vitest'
import type { ClientOptions } from '#openapi/client.ts'
import { type Api, client } from '#test/support/client.ts'
import { expectProblem, type Json } from '#test/support/expect.ts'
import { howToGive, readCredentials, serverlessHeaders } from './credentials.ts'
import { harmless } from './live-safe.ts'

/** Where the service under test is. */
export const url = process.env.ACCEPTANCE_URL || 'http://localhost:8080'

/** Unlike in any other run: what a test writes is told by it from all that was written before. */
export const run = randomUUID()

const credentials = (await readCredentials(url)) ?? refuse()

function refuse(): never {
  throw new Error(howToGive)
}

/**
 * A test with clients of the service: `anyone` has no token, `alice` has. `others` are all those who are not
 * alice, each with how every route that asks for a token refuses them: an invalid token, none, and, where tokens
 * can be signed, another subject, whose refusal is the feature's to say. `token` makes a valid token: of a subject,
 * or, where there is but one token, of its own. All but `anyone` are for tests with the tag `token`.
 */
export const test = base
  .extend('anyone', ({ task }) => clientOf(task))
  .extend('token', ({ task }) => {
    if (!task.tags?.includes('token'))
      throw new Error(`“${task.name}” uses a token: give it the tag (see tags.ts)`)
    return (subject: string) => credentials.token(`acceptance-${subject}-${run}`)
  })
  .extend('alice', async ({ task, token }) => clientOf(task, await token('alice')))
  .extend('others', async ({ task, token }) => {
    const forged = (await token('alice')).replace(/[^.]+$/, (signature) => [...signature].reverse().join(''))
    const bob = { api: clientOf(task, await token('bob')), refusal: undefined }
    return [
      { api: clientOf(task), refusal: [401, 'TOKEN_MISSING'] as const },
      { api: clientOf(task, forged), refusal: [401, 'TOKEN_INVALID'] as const },
      ...(credentials.subjects === 'many' ? [bob] : []),
    ]
  })

function clientOf(task: TestContext['task'], token?: string): Api {
  const headers = { ...serverlessHeaders(), ...(token && { Authorization: `Bearer ${token}` }) }
  const api = client(url, headers)
  return task.tags?.includes('live-safe') ? harmless(api, headers) : api
}

/** Has the typed client send its requests as this caller: `placeOrder(order, {}, by(alice))`. */
export function by(api: Api): ClientOptions {
  return {
    fetch: (path, { method = 'GET', headers = {}, body }) =>
      api(path, {
        ...{ method, headers: Object.fromEntries(new Headers(headers)) },
        ...(body && { body }),
      }),
  }
}

interface Result {
  readonly status: number
  readonly data: unknown
  readonly headers: Headers
}

/** Expects that the typed client got this status. Returns the response, typed as the contract has it for the status. */
export function expectStatus<R extends Result, S extends R['status']>(
  response: R,
  status: S,
): Extract<R, { status: S }> {
  expect(response, JSON.stringify(response.data)).toMatchObject({ status })
  return response as Extract<R, { status: S }>
}

/** Expects that the typed client got this problem, complete as `expectProblem` expects it. */
export function expectRefusal(
  { data, status, headers }: Result,
  expected: number,
  code: string,
): Promise<Json> {
  return expectProblem(new Response(JSON.stringify(data), { status, headers }), expected, code)
}
