import { z } from '@hono/zod-openapi'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defineRoute, handle, handlePlain, json, jsonBody } from '#src/runtime/routes/route.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testServer } from '#test/support/server.ts'
import { testService } from '#test/support/service.ts'

const logs = handlePlain({ method: 'get', path: '/logs', security: 'optional' }, (c) => {
  c.var.log.debug('looking')
  c.var.log.info({ order: 7 }, 'found')
  return c.text('found', 202)
})
const features = [featureOf(logs)]
const service = await testService({ databaseUrl: noDatabase, features })
const { api, lines } = service

beforeEach(() => {
  lines.length = 0
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-23T09:30:00.125Z') })
})
afterEach(() => void vi.useRealTimers())

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

test('a request is one line, in the fields of Cloud Logging', async () => {
  const { api, lines } = await testServer({ databaseUrl: noDatabase, features })
  const headers = {
    ...{ 'User-Agent': 'curl/8', 'X-Forwarded-For': '203.0.113.7, 10.0.0.1', 'X-Request-Id': 'abc' },
    traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
  }
  await (await api('/nowhere?a=1', { method: 'POST', body: 'five!', headers })).text()
  expect(lines).toEqual([
    {
      severity: 'WARNING',
      time: '2026-11-23T09:30:00.125Z',
      message: 'POST /nowhere 404',
      problem: 'NOT_FOUND',
      'logging.googleapis.com/trace': traceId,
      'logging.googleapis.com/spanId': '00f067aa0ba902b7',
      'logging.googleapis.com/trace_sampled': true,
      'logging.googleapis.com/labels': { request_id: 'abc' },
      httpRequest: {
        requestMethod: 'POST',
        requestUrl: '/nowhere',
        status: 404,
        latency: expect.stringMatching(/^\d+\.\d{6}s$/),
        userAgent: 'curl/8',
        remoteIp: '10.0.0.1',
        requestSize: '5',
        responseSize: expect.any(Number),
      },
    },
  ])
})

test('the line of a request that fails says by which code, and where, in the words of the contract', async () => {
  const Item = z.strictObject({ count: z.int(), tags: z.array(z.string()).optional() })
  const Body = z.strictObject({ item: Item, notes: z.record(z.string(), z.int()).optional() })
  const route = defineRoute({
    ...{ method: 'post', path: '/items', operationId: 'items', summary: 'Items', security: 'public' },
    request: { body: jsonBody(Body) },
    responses: { 200: json('It', Item) },
  })
  const feature = featureOf(handle(route, (c) => c.json(c.req.valid('json').item, 200)))
  const { api, lines } = await testService({ databaseUrl: noDatabase, features: [feature] })
  async function problemOf(body: object): Promise<unknown> {
    await api('/items', { json: body })
    return lines.at(-1)?.problem
  }
  expect(await problemOf({ item: { count: 'hunter2' } })).toBe('VALIDATION_FAILED #/item/count')
  expect(await problemOf({ item: { count: 1, tags: ['a', 2] } })).toBe('VALIDATION_FAILED #/item/tags/1')
  expect(await problemOf({ item: { count: 1, hunter2: 1 } })).toBe('VALIDATION_FAILED #/item')
  expect(await problemOf({ item: { count: 1 }, notes: { hunter2: 'x' } })).toBe('VALIDATION_FAILED #/notes/*')
  expect(await problemOf({ item: { count: 1 } })).toBeUndefined()
})

test('without a proxy the address is the connection’s', async () => {
  const { api, lines } = await testServer({ databaseUrl: noDatabase, features })
  await (await api('/ping')).text()
  expect(lines[0]?.httpRequest).toMatchObject({ remoteIp: '127.0.0.1' })
})

test.each([
  ['1', '198.51.100.1, 203.0.113.7', '203.0.113.7'], // Cloud Run alone: what stands before is the caller's own
  ['1', '203.0.113.7', '203.0.113.7'],
  ['1', '198.51.100.1,2001:db8::7', '2001:db8::7'],
  ['2', '198.51.100.1, 203.0.113.7, 192.0.2.80', '203.0.113.7'], // a load balancer appends its own address
  ['2', '203.0.113.7', '127.0.0.1'], // not by way of it
  ['0', '198.51.100.1', '127.0.0.1'],
  ['1', '198.51.100.1, "><script>', '127.0.0.1'],
  ['1', ',', '127.0.0.1'],
])(
  'with TRUSTED_PROXIES=%s, X-Forwarded-For: %s is the address %s',
  async (TRUSTED_PROXIES, forwarded, address) => {
    const environment = { TRUSTED_PROXIES }
    const { api, lines } = await testServer({ databaseUrl: noDatabase, features, environment })
    await (await api('/ping', { headers: { 'X-Forwarded-For': forwarded } })).text()
    expect(lines[0]?.httpRequest).toMatchObject({ remoteIp: address })
  },
)

test('the lines of a handler carry its request, and come before the request’s own', async () => {
  const alice = await service.as('alice')
  await alice('/logs', { headers: { 'X-Request-Id': 'abc' } })
  expect(lines.map(({ severity, message }) => [severity, message])).toEqual([
    ['DEBUG', 'looking'],
    ['INFO', 'found'],
    ['INFO', 'GET /logs 202'],
  ])
  for (const line of lines) {
    expect(line['logging.googleapis.com/labels']).toEqual({ request_id: 'abc', subject: 'alice' })
    expect(line['logging.googleapis.com/trace']).toBe(lines[0]?.['logging.googleapis.com/trace'])
  }
  expect(lines[1]).toMatchObject({ order: 7 })
})

test('requests at the same time keep their lines apart', async () => {
  const ids = ['a', 'b', 'c', 'd']
  await Promise.all(ids.map((id) => api('/logs', { headers: { 'X-Request-Id': id } })))
  for (const id of ids) {
    const own = lines.filter((line) =>
      JSON.stringify(line['logging.googleapis.com/labels']).includes(`"${id}"`),
    )
    expect(own.map(({ message }) => message)).toEqual(['looking', 'found', 'GET /logs 202'])
  }
})

test.each([
  ['/ping', 'INFO'],
  ['/nowhere', 'WARNING'],
  ['/ready', 'ERROR'],
])('%s is a line of severity %s', async (path, severity) => {
  await api(path)
  expect(lines.at(-1)).toMatchObject({ severity, message: expect.stringContaining(`GET ${path} `) })
})

test.each(['/no%20where', '/%1b%5b31m', '/%0aforged', '/%zz'])(
  'the path %s is logged as it was sent',
  async (path) => {
    await api(`${path}?token=x#part`)
    expect(lines[0]).toMatchObject({ message: `GET ${path} 404`, httpRequest: { requestUrl: path } })
  },
)

test('a long user agent is cut', async () => {
  await api('/ping', { headers: { 'User-Agent': 'x'.repeat(5000) } })
  expect(lines[0]?.httpRequest).toMatchObject({ userAgent: 'x'.repeat(256) })
})

test.each([
  ['GET', '/ping', 15],
  ['HEAD', '/ping', 15],
  ['OPTIONS', '/ping', undefined],
])('the size of the answer to %s %s is %s', async (method, path, size) => {
  for (const environment of [{}, { CORS_ORIGINS: '*' }]) {
    const { api, lines } = await testService({ databaseUrl: noDatabase, features, environment })
    await api(path, { method })
    const { httpRequest = {} } = lines[0] ?? {}
    const { status, responseSize } = httpRequest as { status?: number; responseSize?: number }
    expect([status, responseSize]).toEqual([method === 'OPTIONS' ? 204 : 200, size])
  }
})

describe('the trace', () => {
  async function traceOf(headers: Record<string, string>) {
    await api('/ping', { headers })
    const {
      'logging.googleapis.com/trace': trace,
      'logging.googleapis.com/spanId': span,
      'logging.googleapis.com/trace_sampled': sampled,
    } = lines.at(-1) ?? {}
    return [trace, span, sampled]
  }

  test.each([
    [`00-${traceId}-00f067aa0ba902b7-01`, '00f067aa0ba902b7', true],
    [`00-${traceId}-00f067aa0ba902b7-00`, '00f067aa0ba902b7', false],
    [`00-${traceId}-00f067aa0ba902b7-02`, '00f067aa0ba902b7', false],
    [`00-${traceId}-00f067aa0ba902b7-03`, '00f067aa0ba902b7', true],
    [`cc-${traceId}-00f067aa0ba902b7-01-what-comes-later`, '00f067aa0ba902b7', true],
  ])('is that of traceparent: %s', async (traceparent, span, sampled) => {
    expect(await traceOf({ traceparent, 'X-Cloud-Trace-Context': 'f'.repeat(32) })).toEqual([
      traceId,
      span,
      sampled,
    ])
  })

  test.each([
    [`${traceId}/74;o=1`, '000000000000004a', true],
    [`${traceId.toUpperCase()}/74;o=0`, '000000000000004a', false],
    [`${traceId}/18446744073709551615;o=1`, 'ffffffffffffffff', true],
    [`${traceId}/18446744073709551616;o=1`, undefined, true],
    [`${traceId}/0;o=1`, undefined, true],
    [`${traceId};o=1`, undefined, true],
    [traceId, undefined, false],
  ])(
    'is that of X-Cloud-Trace-Context, its decimal span in hexadecimal: %s',
    async (context, span, sampled) => {
      expect(await traceOf({ 'X-Cloud-Trace-Context': context })).toEqual([traceId, span, sampled])
    },
  )

  test.each([
    { traceparent: 'rubbish' },
    { traceparent: '' },
    { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` },
    { traceparent: `00-${traceId}-${'0'.repeat(16)}-01` },
    { traceparent: `ff-${traceId}-00f067aa0ba902b7-01` },
    { traceparent: `00-${traceId.toUpperCase()}-00f067aa0ba902b7-01` },
    { traceparent: `00-${traceId}-00f067aa0ba902b7-01\t, 00-${traceId}-00f067aa0ba902b7-01` },
    { 'X-Cloud-Trace-Context': `${'0'.repeat(32)}/1;o=1` },
    { 'X-Cloud-Trace-Context': `${traceId}/x;o=1` },
    { 'X-Cloud-Trace-Context': `${traceId}/1;o=2` },
  ])('is a new one where none is usable: %j', async (headers) => {
    const [trace, span, sampled] = await traceOf(headers)
    expect(trace).toMatch(/^(?!4bf92f|0{32})[\da-f]{32}$/)
    expect([span, sampled]).toEqual([undefined, false])
  })

  test('is named by the project where that is known', async () => {
    const environment = { GOOGLE_CLOUD_PROJECT: 'shop-1' }
    const { api, lines } = await testService({ databaseUrl: noDatabase, features, environment })
    await api('/ping', { headers: { 'X-Cloud-Trace-Context': traceId } })
    expect(lines[0]?.['logging.googleapis.com/trace']).toBe(`projects/shop-1/traces/${traceId}`)
  })
})
