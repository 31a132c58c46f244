import { z } from '@hono/zod-openapi'
import { HTTPException } from 'hono/http-exception'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { defineRoute, handle, handlePlain, json } from '#src/runtime/routes/route.ts'
import { expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const secret = 'the-cause-of-it-all'

let fail: () => unknown
const route = defineRoute({
  method: 'get',
  path: '/fail',
  operationId: 'fail',
  summary: 'Fail',
  security: 'public',
  responses: { 200: json('Never', z.object({ never: z.literal(true) })) },
})
const failing = handle(route, async (c) => {
  await fail()
  return c.json({ never: true }, 200)
})
const plain = handlePlain({ method: 'get', path: '/plain', security: 'public' }, async (c) => {
  await fail()
  return c.text('never')
})
const error = vi.fn()
const { api, lines } = await testService({
  databaseUrl: noDatabase,
  features: [featureOf(failing, plain)],
  reporter: { error },
})

beforeEach(() => {
  lines.length = 0
  error.mockClear()
})

function throwing(thrown: unknown) {
  return () => {
    throw thrown
  }
}

const circular = new Error(secret)
circular.cause = circular
const overflow = (): unknown => [overflow()]

const unexpected: [string, () => unknown][] = [
  ['an error', throwing(new Error(secret))],
  ['an error with SQL in it', throwing(new Error(`select * from orders where item = '${secret}'`))],
  ['an error with a cause', throwing(new Error('outer', { cause: new Error(secret) }))],
  ['an error that is its own cause', throwing(circular)],
  [
    'an error that says it is a 404',
    throwing(Object.assign(new Error(secret), { status: 404, code: 'ENOENT' })),
  ],
  [
    'an error with a response of its own',
    throwing(Object.assign(new Error(secret), { getResponse: () => secret })),
  ],
  ['a frozen error', throwing(Object.freeze(new Error(secret)))],
  ['an error without a stack', throwing(Object.assign(new Error(secret), { stack: undefined }))],
  ['several errors', throwing(new AggregateError([new Error(secret)], secret))],
  ['an abort', throwing(new DOMException(secret, 'AbortError'))],
  ['a zod error', () => z.object({ item: z.string() }).parse({ [secret]: 1 })],
  ['a TypeError', () => (undefined as unknown as { x: () => void }).x()],
  ['an endless recursion', overflow],
  ['a text', throwing(secret)],
  ['a number', throwing(404)],
  ['an object', throwing({ status: 404, message: secret, code: 'NOT_FOUND' })],
  ['null', throwing(null)],
  ['undefined', throwing(undefined)],
  ['a rejection', () => Promise.reject(new Error(secret))],
  ['a rejection with nothing', () => Promise.reject()],
  ['a 500 of Hono’s', throwing(new HTTPException(500, { message: secret }))],
]

describe.each(['/fail', '/plain'])('what is thrown in %s', (path) => {
  test.each(unexpected)('%s is a 500 that says nothing of the cause', async (_what, behaviour) => {
    fail = behaviour
    const response = await api(path, { headers: { 'X-Request-Id': 'same' } })
    const problem = await expectProblem(response, 500, 'INTERNAL')
    expect(problem).toEqual({
      ...{ type: 'urn:problem:internal', title: 'Something went wrong on our side', status: 500 },
      ...{ instance: path, code: 'INTERNAL', traceId: expect.any(String) },
    })
    expect(JSON.stringify([...response.headers])).not.toContain(secret)

    expect(lines.map(({ severity, message }) => [severity, message])).toEqual([
      ['ERROR', 'Something went wrong on our side'],
      ['ERROR', `GET ${path} 500`],
    ])
    expect(lines[0]).toMatchObject({
      stack_trace: expect.stringMatching(/\w+: /),
      serviceContext: { service: 'test', version: 'unknown' },
      'logging.googleapis.com/trace': problem.traceId,
    })
    expect(error).toHaveBeenCalledTimes(1)
    expect(error.mock.calls[0]).toEqual([
      expect.any(Error),
      {
        requestId: 'same',
        traceId: problem.traceId,
        method: 'GET',
        path,
        subject: undefined,
        status: 500,
        route: path,
      },
    ])
  })
})

test('the log says of an error what it is, where it was, and what caused it', async () => {
  fail = throwing(new Error('outer', { cause: new TypeError(secret) }))
  await api('/fail')
  const [first, ...rest] = String(lines[0]?.stack_trace).split('\n')
  expect(first).toBe('Error: outer')
  expect(rest[0]).toMatch(/^ {4}at .+unexpected-errors\.test\.ts/)
  expect(rest).toContain(`Caused by: TypeError: ${secret}`)
})

test('the reporter gets the very error that was thrown', async () => {
  const thrown = new Error(secret)
  fail = throwing(thrown)
  await api('/fail')
  expect(error.mock.calls[0]?.[0]).toBe(thrown)
})

test('a 503 of Hono’s says nothing of its cause either', async () => {
  fail = throwing(new HTTPException(503, { message: secret, res: new Response(secret) }))
  const problem = await expectProblem(await api('/plain'), 503, 'UNAVAILABLE')
  expect(JSON.stringify(problem)).not.toContain(secret)
  expect(error).toHaveBeenCalledTimes(1)
})

test.each([
  [400, 400, 'MALFORMED_REQUEST'],
  [404, 404, 'NOT_FOUND'],
  [413, 413, 'BODY_TOO_LARGE'],
  [415, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  [418, 418, 'CLIENT_ERROR'],
] as const)('a %i that Hono’s middleware throws is a problem of %i', async (thrown, status, code) => {
  fail = throwing(new HTTPException(thrown, { message: 'Because.' }))
  const problem = await expectProblem(await api('/plain'), status, code)
  expect(problem.detail).toBe('Because.')
  expect(error).not.toHaveBeenCalled()
})
