import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import { z } from '#runtime'
import { createApp } from '#src/app.ts'
import type { AnyCaller } from '#src/runtime/auth/api-key.ts'
import type { ResponseHeaders } from '#src/runtime/http/response-headers.ts'
import { sendEvents, sendStream } from '#src/runtime/http/send-stream.ts'
import { defineRoute, handle, handlePlain, json } from '#src/runtime/routes/route.ts'
import { sse, stream } from '#src/runtime/routes/stream.ts'
import { expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { noteScopes, notes } from '#test/support/notes.ts'
import { testServer } from '#test/support/server.ts'
import { testService } from '#test/support/service.ts'

const trial = { method: 'get', summary: 'Try' } as const
const open = { ...trial, security: 'public' } as const
const Done = json('Done', z.object({ done: z.boolean() }))
async function* lines() {
  yield 'a\n'
}
async function* none() {}

const routes = featureOf(
  handle(
    defineRoute({ ...trial, path: '/json', operationId: 'a', security: ['a:b'], responses: { 200: Done } }),
    (c) => c.json({ done: true }, 200),
  ),
  handle(defineRoute({ ...open, path: '/own/json', operationId: 'b', responses: { 200: Done } }), (c) =>
    c.json({ done: true }, 200, { 'x-version': 'its own' }),
  ),
  handle(defineRoute({ ...open, path: '/own/set', operationId: 'c', responses: { 200: Done } }), (c) => {
    c.header('X-VERSION', 'its own')
    c.header('X-Frame-Options', 'DENY')
    return c.json({ done: true }, 200)
  }),
  handle(
    defineRoute({
      ...open,
      path: '/stream',
      operationId: 'd',
      responses: { 200: stream('text/csv', 'Lines') },
    }),
    (c) => sendStream(c, 'text/csv', lines()),
  ),
  handle(
    defineRoute({ ...open, path: '/events', operationId: 'e', responses: { 200: sse('Events') } }),
    (c) => sendEvents(c, none()),
  ),
  handlePlain({ method: 'get', path: '/text', security: 'public' }, (c) => c.text('text')),
  handlePlain({ method: 'get', path: '/nothing', security: 'public' }, (c) => c.body(null, 204)),
  handlePlain({ method: 'get', path: '/elsewhere', security: 'public' }, () =>
    Response.redirect('https://elsewhere.example/'),
  ),
  handlePlain({ method: 'get', path: '/own/text', security: 'public' }, (c) =>
    c.text('text', 200, { 'X-Version': 'its own' }),
  ),
  handlePlain({ method: 'get', path: '/broken', security: 'public' }, () => {
    throw new Error('It is broken')
  }),
)
const seen = vi.fn()
const headers: ResponseHeaders = {
  'X-Version': '1.4.0',
  'Cache-Control': 'no-cache',
  'X-Frame-Options': 'DENY',
  'Content-Security-Policy': "default-src 'none'",
  'X-Caller'(c) {
    seen(c.req.path)
    expectTypeOf(c.var.caller).toEqualTypeOf<AnyCaller | undefined>()
    return c.var.caller?.subject
  },
}
const service = await testService({ databaseUrl: noDatabase, features: [routes], headers })
const alice = await service.as('alice', ['a:b'])

describe('headers of every response', () => {
  test.each([
    ['JSON', 'GET', '/json', 200],
    ['a text', 'GET', '/text', 200],
    ['nothing', 'GET', '/nothing', 204],
    ['a redirect of fetch’s kind', 'GET', '/elsewhere', 302],
    ['a stream', 'GET', '/stream', 200],
    ['events', 'GET', '/events', 200],
    ['the contract', 'GET', '/openapi.json', 200],
    ['the head alone', 'HEAD', '/json', 200],
    ['the methods of a path', 'OPTIONS', '/json', 204],
    ['an unexpected error', 'GET', '/broken', 500],
    ['an unknown path', 'GET', '/nowhere', 404],
    ['a wrong method', 'PUT', '/json', 405],
  ])('are on %s', async (_what, method, path, status) => {
    const response = await alice(path, { method })
    expect(response.status).toBe(status)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-version': '1.4.0',
      'x-frame-options': 'DENY',
    })
    await response.text()
  })

  test('are on a refusal, and on a redirect to https', async () => {
    const refused = await service.api('/json')
    expect(refused.headers.get('x-version')).toBe('1.4.0')
    await expectProblem(refused, 401, 'TOKEN_MISSING')
    const { api } = await testService({
      ...{ databaseUrl: noDatabase, features: [], headers },
      environment: { SERVICE_URL: 'https://orders.example.com' },
    })
    const moved = await api('/ping', { headers: { 'X-Forwarded-Proto': 'http' } })
    expect([moved.status, moved.headers.get('x-version'), moved.headers.get('cache-control')]).toEqual([
      ...[308, '1.4.0', 'max-age=300'],
    ])
  })

  test('are on what the server itself refuses, but for those that need a request', async () => {
    const { dial } = await testServer({ databaseUrl: noDatabase, features: [], headers })
    for (const request of ['GET / HTTP/1.1\r\n\r\n', 'FETCH / HTTP/1.1\r\n\r\n']) {
      const { headers } = await dial().send(request).answer()
      expect(Object.fromEntries(headers)).toMatchObject({
        ...{ 'x-version': '1.4.0', 'x-frame-options': 'DENY', 'cache-control': 'no-store' },
      })
      expect(headers.has('x-caller')).toBe(false)
    }
  })
})

describe('a header that is a function', () => {
  test('is called once for a request, and may leave the header out', async () => {
    seen.mockClear()
    const known = await alice('/json')
    expect([known.headers.get('x-caller'), seen.mock.calls]).toEqual(['alice', [['/json']]])
    const unknown = await service.api('/text')
    expect(unknown.headers.get('x-caller')).toBeNull()
  })

  test.each<[what: string, compute: () => string]>([
    [
      'throws',
      () => {
        throw new Error('It is broken')
      },
    ],
    ['gives what HTTP cannot carry', () => 'a\u0007'],
  ])('that %s is left out, and the log says so', async (_what, compute) => {
    const { api, lines } = await testService({
      ...{ databaseUrl: noDatabase, features: [routes], headers: { 'X-Odd': compute, 'X-Version': '1' } },
    })
    for (const [path, status] of [
      ['/text', 200],
      ['/own/json', 200],
      ['/nowhere', 404],
    ] as const) {
      lines.length = 0
      const response = await api(path)
      expect([response.status, response.headers.get('x-odd')]).toEqual([status, null])
      const message = 'The header X-Odd is left out of a response: its function failed'
      expect(lines.filter((line) => line.severity === 'ERROR')).toMatchObject([{ message }])
      expect(lines[0]?.['logging.googleapis.com/labels']).toEqual({
        request_id: response.headers.get('x-request-id'),
      })
    }
  })
})

describe('a route that sets the same header', () => {
  test.each(['/own/json', '/own/set', '/own/text'])('wins: %s', async (path) => {
    expect((await service.api(path)).headers.get('x-version')).toBe('its own')
  })

  test('wins over the runtime’s own headers as well', async () => {
    const { api } = await testService({ databaseUrl: noDatabase, features: [routes] })
    expect((await api('/own/set')).headers.get('x-frame-options')).toBe('DENY')
  })

  test('may be the problem: its Cache-Control stays', async () => {
    expect((await service.api('/nowhere')).headers.get('cache-control')).toBe('no-store')
    expect((await service.api('/text')).headers.get('cache-control')).toBe('no-cache')
  })
})

test('a replay has the headers of its own time', async () => {
  let count = 0
  const { as } = await testService({ features: [notes], headers: { 'X-Count': () => String(++count) } })
  const ada = await as('ada', noteScopes)
  const ask = () => ada('/notes', { json: { text: 'Tea', pages: 1 }, headers: { 'Idempotency-Key': 'one' } })
  const [first, replay] = [await ask(), await ask()]
  expect(replay.headers.get('idempotency-replayed')).toBe('true')
  expect([first.headers.get('x-count'), replay.headers.get('x-count')]).toEqual(['1', '2'])
})

test('pages elsewhere may read them', async () => {
  const { api } = await testService({
    ...{ databaseUrl: noDatabase, features: [routes], headers },
    environment: { CORS_ORIGINS: 'https://shop.example' },
  })
  const response = await api('/own/json', { headers: { Origin: 'https://shop.example' } })
  expect(response.headers.get('access-control-expose-headers')?.split(',')).toEqual(
    expect.arrayContaining(['X-Version', 'X-Caller']),
  )
  expect(response.headers.get('x-version')).toBe('its own')
})

test.each([
  [{ 'X Version': '1' }, 'The response has a header whose name HTTP cannot carry: "X Version".'],
  [{ 'X Version': () => '1' }, 'The response has a header whose name HTTP cannot carry: "X Version".'],
  [
    { 'X-Version': 'ü\u{1f600}' },
    'The response’s header X-Version has a character that HTTP cannot carry (at 1)',
  ],
  [{ 'X-Version': 1 as never }, 'The response’s header X-Version is number'],
  [
    { 'content-length': '1' },
    'The header content-length cannot be on every response: each response has its own.',
  ],
  [
    { 'X-Request-ID': () => '1' },
    'The header X-Request-ID cannot be on every response: it is the request’s id',
  ],
  [{ 'Strict-Transport-Security': '' }, 'set HSTS_INCLUDE_SUBDOMAINS'],
  [{ 'Access-Control-Allow-Origin': '*' }, 'set CORS_ORIGINS'],
  [{ Vary: 'Accept' }, 'set it in a route or a middleware'],
  [{ 'set-cookie': 'a=1' }, 'set it in a route or a middleware'],
] as [ResponseHeaders, string][])('a wrong one stops the start: %j', (wrong, why) => {
  const { config, database, log } = service
  expect(() => createApp({ config, database, log, features: [], headers: wrong })).toThrow(why)
})
