import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { Problem, problems } from '#src/runtime/kernel/problem.ts'
import { defineRoute, handle, handlePlain, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'

const trial = { method: 'get', summary: 'Try', security: 'public' } as const
const responses = { 200: json('Done', z.object({ done: z.boolean() }), { ETag: 'Its version' }) }
const own = {
  ...{ ETag: '"7"', Location: '/elsewhere', 'Last-Modified': 'Mon, 23 Nov 2026 00:00:00 GMT' },
  ...{ 'Cache-Control': 'public, max-age=3600', 'Content-Language': 'en', 'Set-Cookie': 'session=1' },
}

const headersThenThrow = handle(
  defineRoute({
    ...{ ...trial, path: '/headers-then-throw', operationId: 'headersThenThrow', responses },
    problems: [problems.NOT_FOUND],
  }),
  async (c) => {
    for (const [name, value] of Object.entries(own)) c.header(name, value)
    throw new Problem(problems.NOT_FOUND)
  },
)
const varyThenThrow = handlePlain({ method: 'get', path: '/vary-then-throw', security: 'public' }, (c) => {
  c.header('Vary', 'Accept-Language')
  throw new Problem(problems.NOT_FOUND)
})
const ownId = handle(
  defineRoute({ ...trial, path: '/own-id', operationId: 'ownId', responses: { 200: responses[200] } }),
  (c) => {
    const headers = { ETag: '"7"', 'X-Request-Id': 'own' }
    const way = c.req.header('x-way')
    if (way === 'c.header') c.header('X-Request-Id', 'own')
    if (way === 'a response') return Response.json({ done: true }, { headers }) as never
    return c.json({ done: true }, 200, way === 'c.json' ? headers : { ETag: '"7"' })
  },
)
const answerThenThrow = handle(
  defineRoute({
    ...{ ...trial, path: '/answer-then-throw', operationId: 'answerThenThrow', responses },
    async middleware(_c, next) {
      await next()
      throw new Error('The commit failed')
    },
  }),
  async (c) => c.json({ done: true }, 200, own),
)
const nothing = handlePlain({ method: 'get', path: '/nothing', security: 'public' }, (c) => c.body(null, 204))
const immutable = handlePlain({ method: 'get', path: '/immutable', security: 'public' }, () =>
  Response.redirect('https://orders.example.com/'),
)
const relayed = handlePlain({ method: 'get', path: '/relayed', security: 'public' }, () =>
  fetch('data:text/plain,relayed'),
)

const feature = featureOf(
  ...[headersThenThrow, varyThenThrow, ownId, answerThenThrow, nothing, immutable, relayed],
)
const { api, lines } = await testService({ databaseUrl: noDatabase, features: [notes, feature] })
const withCors = await testService({
  databaseUrl: noDatabase,
  features: [feature],
  environment: { CORS_ORIGINS: '*' },
})

test.each([
  ['/ping', 200],
  ['/nothing', 204],
  ['/immutable', 302],
  ['/relayed', 200],
  ['/nowhere', 404],
  ['/answer-then-throw', 500],
])('%s carries the headers that protect browsers, and a request id', async (path, status) => {
  for (const method of ['GET', 'HEAD']) {
    const response = await api(path, { method })
    expect(response.status).toBe(status)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'x-request-id': expect.stringMatching(/^[\da-f-]{36}$/),
    })
    expect(response.headers.get('server')).toBeNull()
    expect(response.headers.get('x-powered-by')).toBeNull()
  }
})

test('an answer that came from elsewhere is passed on whole', async () => {
  expect(await (await api('/relayed')).text()).toBe('relayed')
  expect((await api('/immutable')).headers.get('location')).toBe('https://orders.example.com/')
})

describe('X-Request-Id', () => {
  test.each(['abc', 'a-b_c=', 'x'.repeat(255), '0af7651916cd43dd8448eb211c80319c'])(
    'is the caller’s own where it is a plain one: %s',
    async (id) => {
      lines.length = 0
      const response = await api('/ping', { headers: { 'X-Request-Id': id } })
      expect(response.headers.get('x-request-id')).toBe(id)
      expect(lines[0]?.['logging.googleapis.com/labels']).toEqual({ request_id: id })
    },
  )

  test.each(['', 'a b', 'x'.repeat(256), 'a,b', '<script>', 'ä', '"quoted"'])(
    'is a new one where the caller’s is not plain: %j',
    async (id) => {
      const response = await api('/ping', { headers: { 'X-Request-Id': id } })
      expect(response.headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/)
    },
  )

  test.each(['c.json', 'c.header', 'a response'])(
    'is not the handler’s, which sets it by %s',
    async (way) => {
      const response = await api('/own-id', { headers: { 'X-Request-Id': 'abc', 'X-Way': way } })
      expect(response.headers.get('x-request-id')).toBe('abc')
      await expectJson(response)
    },
  )

  test('differs from request to request', async () => {
    const ids = await Promise.all([1, 2, 3].map(async () => (await api('/ping')).headers.get('x-request-id')))
    expect(new Set(ids).size).toBe(3)
  })
})

describe.each([
  ['without CORS', api],
  ['with CORS', withCors.api],
])('a problem %s', (_how, api) => {
  test.each([
    { what: 'set before the handler threw', path: '/headers-then-throw', status: 404, code: 'NOT_FOUND' },
    { what: 'of an answer that was ready', path: '/answer-then-throw', status: 500, code: 'INTERNAL' },
  ])('keeps no header $what', async ({ path, status, code }) => {
    const response = await api(path)
    for (const name of Object.keys(own).filter((name) => name !== 'Cache-Control')) {
      expect([name, response.headers.get(name)]).toEqual([name, null])
    }
    expect(response.headers.get('cache-control')).toBe('no-store')
    const length = Number(response.headers.get('content-length'))
    const problem = await expectProblem(response, status, code)
    expect(length).toBe(Buffer.byteLength(JSON.stringify(problem)))
  })
})

test('a problem keeps Vary, which holds for whatever is sent', async () => {
  const response = await api('/vary-then-throw')
  expect(response.headers.get('vary')).toBe('Accept-Language')
  await expectProblem(response, 404, 'NOT_FOUND')
})

describe('HEAD', () => {
  test.each(['/ping', '/nowhere', '/notes', '/headers-then-throw'])(
    'on %s answers as GET does, without the body',
    async (path) => {
      const headers = { 'X-Request-Id': 'same' }
      const [got, head] = [await api(path, { headers }), await api(path, { headers, method: 'HEAD' })]
      expect(head.status).toBe(got.status)
      expect(await head.text()).toBe('')
      expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(got.headers))
      expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0)
    },
  )
})

test('a 204 has neither body nor content type', async () => {
  const response = await api('/nothing')
  expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
    204,
    null,
    '',
  ])
})

test('an answer carries its length', async () => {
  const response = await api('/ping')
  expect(response.headers.get('content-length')).toBe('15')
  expect(await expectJson(response)).toEqual({ status: 'ok' })
})
