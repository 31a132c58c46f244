import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { Problem, problems } from '#src/runtime/kernel/problem.ts'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { contractOf } from '#test/support/contract.ts'
import { expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { notes } from '#test/support/notes.ts'
import { testServer } from '#test/support/server.ts'
import { testService } from '#test/support/service.ts'
import { pymacaronFormat } from './pymacaron-format.ts'

let thrown: unknown
const fail = handlePlain({ method: 'get', path: '/fail', security: 'public' }, () => {
  throw thrown
})
const service = { databaseUrl: noDatabase, features: [notes, featureOf(fail)], format: pymacaronFormat }
const { api } = await testService(service)

interface Contract {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, Media> }> }>>
  components: { schemas: Record<string, object> }
}
type JsonSchema = Parameters<typeof z.fromJSONSchema>[0]
interface Media {
  schema: object
  examples?: Record<string, { value: unknown }>
}

function failures(contract: Contract) {
  return Object.values(contract.paths)
    .flatMap((path) => Object.values(path))
    .flatMap(({ responses }) => Object.entries(responses))
    .filter(([status]) => Number(status) >= 400)
}

describe('with PyMacaron’s format', () => {
  test.each([
    { what: 'a path of nobody', path: '/nowhere', status: 404, error: 'NOT_FOUND' },
    {
      what: 'a method that is not allowed',
      path: '/notes/7/close',
      status: 405,
      error: 'METHOD_NOT_ALLOWED',
    },
    { what: 'a missing token', path: '/notes', status: 401, error: 'TOKEN_MISSING' },
    { what: 'a query that does not fit', path: '/ping?a=1', status: 400, error: 'VALIDATION_FAILED' },
  ])('$what gets it', async ({ path, status, error }) => {
    const response = await api(path)
    expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/json'])
    expect(await response.json()).toEqual({
      status,
      error,
      error_description: expect.stringMatching(/\w/),
      user_message: '',
      error_id: expect.stringMatching(/^[\da-f]{32}$/),
    })
  })

  test('what a feature says to developers and people arrives', async () => {
    const options = {
      detail: 'Two were left.',
      userMessage: 'Sold out, sorry!',
      headers: { 'Retry-After': '9' },
    }
    thrown = new Problem(problems.NOT_FOUND, options)
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const response = await api('/fail', { headers: { traceparent } })
    expect(response.headers.get('retry-after')).toBe('9')
    expect(await response.json()).toEqual({
      status: 404,
      error: 'NOT_FOUND',
      error_description: 'Two were left.',
      user_message: 'Sold out, sorry!',
      error_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    })
  })

  test('an unexpected error says nothing of its cause', async () => {
    thrown = new Error('the-cause-of-it-all')
    const response = await api('/fail')
    expect(await response.json()).toMatchObject({ status: 500, error: 'INTERNAL', user_message: '' })
  })

  test('what the server itself refuses is answered in it, too', async () => {
    const { dial } = await testServer(service)
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    ]) {
      const { status, headers, body } = await dial().send(bytes).answer()
      expect(headers.get('content-type')).toBe('application/json')
      expect(JSON.parse(body)).toMatchObject({ status, error_id: expect.stringMatching(/^[\da-f]{32}$/) })
    }
  })

  test('the contract shows it with every failure, in place of the other', async () => {
    const contract = await contractOf<Contract>(api)
    expect(contract.components.schemas.Error).toMatchObject({
      required: ['status', 'error', 'error_description', 'user_message', 'error_id'],
    })
    expect(contract.components.schemas).not.toHaveProperty('Problem')
    expect(failures(contract).length).toBeGreaterThan(10)
    for (const [status, { content }] of failures(contract)) {
      expect(Object.keys(content ?? {})).toEqual(['application/json'])
      const { schema, examples = {} } = content?.['application/json'] ?? {}
      expect(schema).toEqual({ $ref: '#/components/schemas/Error' })
      for (const [error, { value }] of Object.entries(examples)) {
        expect(pymacaronFormat.schema.parse(value)).toMatchObject({ status: Number(status), error })
      }
    }
  })
})

describe('with the format of RFC 9457', () => {
  test('every failure in the contract is of that type', async () => {
    const { api } = await testService({ databaseUrl: noDatabase, features: [notes] })
    const contract = await contractOf<Contract>(api)
    for (const [status, { content }] of failures(contract)) {
      expect(Object.keys(content ?? {})).toEqual(['application/problem+json'])
      const { schema, examples = {} } = content?.['application/problem+json'] ?? {}
      expect(schema).toEqual({ $ref: '#/components/schemas/Problem' })
      for (const [code, { value }] of Object.entries(examples)) {
        expect(value).toMatchObject({
          status: Number(status),
          code,
          type: expect.stringMatching(/^urn:problem:/),
        })
      }
    }
  })

  test('every answer fits the schema that the contract shows', async () => {
    const { api } = await testService({ databaseUrl: noDatabase, features: [notes] })
    const { components } = await contractOf<Contract>(api)
    const Problem = z.fromJSONSchema({
      ...components.schemas.Problem,
      additionalProperties: false,
    } as JsonSchema)
    for (const [path, status, code] of [
      ['/nowhere', 404, 'NOT_FOUND'],
      ['/ping?a=1&b=2', 400, 'VALIDATION_FAILED'],
      ['/notes', 401, 'TOKEN_MISSING'],
    ] as const) {
      Problem.parse(await expectProblem(await api(path), status, code))
    }
  })
})
