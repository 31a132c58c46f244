import { describe, expect, test } from 'vitest'
import { expectLog, expectProblem, noDatabase, testService } from '#test/kit'
import { lab as features } from './feature.ts'
import { sharedLab } from './lab.ts'

const lab = sharedLab()
const inProcess = await testService({ databaseUrl: noDatabase, features })

const wrong = [
  ...['location', 'control', 'break', 'nul', 'name', 'status-99', 'status-101', 'status-1000', 'too-long'],
  ...['too-short', 'length-of-nothing', 'body-of-204', 'body-of-304', 'json', 'touched'],
]

test.each(wrong)('a response that cannot be written is a problem, in the log as well: %s', async (kind) => {
  for (const [api, lines] of [
    [lab.api, () => expectLog(lab.process.lines)],
    [inProcess.api, () => inProcess.lines],
  ] as const) {
    const id = `wrong-${kind}`
    await expectProblem(await api(`/wrong/${kind}`, { headers: { 'X-Request-Id': id } }), 500, 'INTERNAL')
    await expect.poll(() => lines().some(({ message }) => message === `GET /wrong/${kind} 500`)).toBe(true)
    await (await api('/ping')).text()
  }
})

test('a Location of a path that needs it is encoded', async () => {
  const alice = await lab.as('alice')
  const made = await alice('/shops/東京/parcels', { method: 'POST' })
  expect([made.status, made.headers.get('location')]).toEqual([
    ...[201, `/shops/${encodeURIComponent('東京')}/parcels/a%2Fb`],
  ])
})

test('Hono’s redirect encodes what it is given, and its cookies too', async () => {
  const elsewhere = await lab.api('/elsewhere')
  expect([elsewhere.status, elsewhere.headers.get('location')]).toEqual([302, encodeURI('/東京')])
  expect((await lab.api('/cookies')).headers.getSetCookie()).toEqual([
    ...[`a=${encodeURIComponent('東京; x')}; Path=/`, 'b=2; Path=/'],
  ])
})

describe('a replay is the first response', () => {
  test.each(['pdf', 'see-other', 'nothing'])('%s: byte for byte, with its headers', async (kind) => {
    const alice = await lab.as('alice')
    const ask = () => alice(`/kept/${kind}`, { method: 'POST', headers: { 'Idempotency-Key': kind } })
    const [first, again, third] = [await ask(), await ask(), await ask()]
    expect(first.status).toBeLessThan(400)
    for (const other of [again, third]) {
      expect(other.headers.get('idempotency-replayed')).toBe('true')
      expect(other.status).toBe(first.status)
      for (const name of ['content-type', 'content-disposition', 'content-length', 'location', 'x-call'])
        expect([name, other.headers.get(name)]).toEqual([name, first.headers.get(name)])
    }
    const bytes = await first.bytes()
    expect(await again.bytes()).toEqual(bytes)
    if (kind === 'pdf') expect([...bytes]).toEqual(Array.from({ length: 512 }, (_none, index) => index % 256))
  })

  test('but for its cookies, which are credentials', async () => {
    const alice = await lab.as('alice')
    const ask = () => alice('/kept/cookie', { method: 'POST', headers: { 'Idempotency-Key': 'cookie' } })
    expect((await ask()).headers.getSetCookie()).toHaveLength(1)
    expect((await ask()).headers.getSetCookie()).toEqual([])
  })

  test.each([
    ['stream', 'its response is a stream'],
    ['large', 'its response is larger than 1048576 bytes'],
    ['bad-header', 'etag has a character'],
  ])('one that cannot be kept, or written, is a 500 that commits nothing: %s', async (kind, complaint) => {
    const alice = await lab.as('alice')
    for (let time = 0; time < 2; time++) {
      const response = await alice(`/kept/${kind}`, { method: 'POST', headers: { 'Idempotency-Key': kind } })
      expect(response.headers.get('idempotency-replayed')).toBeNull()
      await expectProblem(response, 500, 'INTERNAL')
    }
    const causes = expectLog(lab.process.lines).map(({ stack_trace }) => String(stack_trace))
    expect(causes.join('\n')).toContain(complaint)
  })
})

describe('a response of Hono’s own middleware keeps its status, headers and meaning', () => {
  const later = { 'retry-after': '7' }
  const mine = { 'x-mine': 'yes' }
  const basic = { 'www-authenticate': 'Basic realm="Secure Area"' }
  const bearer = { 'www-authenticate': 'Bearer realm=""' }

  test.each([
    { method: 'GET', path: '/hono/basic', status: 401, code: 'UNAUTHORIZED', headers: basic },
    { method: 'GET', path: '/hono/bearer', status: 401, code: 'UNAUTHORIZED', headers: bearer },
    { method: 'POST', path: '/hono/csrf', status: 403, code: 'FORBIDDEN', headers: {} },
    { method: 'GET', path: '/hono/timeout', status: 504, code: 'GATEWAY_TIMEOUT', headers: {} },
    {
      method: 'GET',
      path: '/throws/400',
      status: 400,
      code: 'MALFORMED_REQUEST',
      headers: { ...later, ...mine },
    },
    { method: 'GET', path: '/throws/404', status: 404, code: 'NOT_FOUND', headers: mine },
    { method: 'GET', path: '/throws/409', status: 409, code: 'CONFLICT', headers: mine },
    { method: 'GET', path: '/throws/413', status: 413, code: 'BODY_TOO_LARGE', headers: mine },
    { method: 'GET', path: '/throws/418', status: 418, code: 'CLIENT_ERROR', headers: mine },
    { method: 'GET', path: '/throws/429', status: 429, code: 'TOO_MANY_REQUESTS', headers: later },
    { method: 'GET', path: '/throws/503', status: 503, code: 'UNAVAILABLE', headers: later },
    { method: 'GET', path: '/throws/507', status: 507, code: 'SERVER_ERROR', headers: {} },
  ])('$method $path: $status $code', async ({ method, path, status, code, headers }) => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'https://evil.example' }
    const sent = method === 'POST' ? { body: 'a=1', headers: form } : {}
    const response = await lab.api(path, { method, ...sent })
    expect(Object.fromEntries(response.headers)).toMatchObject(headers)
    const problem = await expectProblem(response, status, code)
    if (path.startsWith('/throws')) expect(problem.detail).toBe(status < 500 ? 'Because.' : undefined)
  })
})

test('a redirect to https can be followed by a page elsewhere', async () => {
  const { api } = await testService({
    databaseUrl: noDatabase,
    features,
    environment: { CORS_ORIGINS: 'https://shop.example', SERVICE_URL: 'https://orders.example' },
  })
  const headers = { Origin: 'https://shop.example', 'X-Forwarded-Proto': 'http' }
  const response = await api('/ping', { headers })
  expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
    ...[308, 'https://shop.example'],
  ])
})
