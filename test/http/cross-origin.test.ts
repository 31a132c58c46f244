import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { defineFeature } from '#src/runtime/feature.ts'
import { defineRoute, handle, handlePlain, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'
import { showThing, Thing } from '#test/support/thing.ts'

const page = 'https://shop.example.com'
const other = 'https://evil.example'
const asking = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' }

const throws = handlePlain({ method: 'get', path: '/throws', security: 'public' }, () => {
  throw 'not even an error'
})

function serviceWith(environment: Record<string, string>) {
  return testService({ databaseUrl: noDatabase, environment, features: [notes, featureOf(throws)] })
}

const off = await serviceWith({})
const listed = await serviceWith({ CORS_ORIGINS: `${page}, http://localhost:5173/` })
const open = await serviceWith({ CORS_ORIGINS: '*' })

/** The CORS headers of an answer, by name. */
function cors({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')))
}

describe('without CORS_ORIGINS', () => {
  test('no answer carries a CORS header', async () => {
    for (const path of ['/ping', '/notes', '/nowhere']) {
      expect(cors(await off.api(path, { headers: { Origin: page } }))).toEqual({})
    }
  })

  test('a preflight is an OPTIONS like any other', async () => {
    const response = await off.api('/ping', { method: 'OPTIONS', headers: { Origin: page, ...asking } })
    expect([response.status, response.headers.get('allow'), cors(response)]).toEqual([
      204,
      'GET, HEAD, OPTIONS',
      {},
    ])
  })

  test('the contract may be read from any origin all the same', async () => {
    const response = await off.api('/openapi.json', { headers: { Origin: page } })
    expect(cors(response)).toEqual({ 'access-control-allow-origin': '*' })
  })
})

const exposed = {
  'access-control-expose-headers':
    'X-Request-Id,Retry-After,WWW-Authenticate,Idempotency-Replayed,ETag,Location',
}

describe('with a list of origins', () => {
  test.each([page, 'http://localhost:5173'])('%s may read every answer, problems too', async (Origin) => {
    for (const path of ['/ping', '/nowhere', '/notes', '/throws', '/ping?unknown=1']) {
      const response = await listed.api(path, { headers: { Origin } })
      expect(cors(response)).toEqual({ 'access-control-allow-origin': Origin, ...exposed })
      expect(response.headers.get('vary')).toContain('Origin')
    }
  })

  test.each([other, 'null', `${page}.evil.example`, 'http://shop.example.com', `${page}:8443`, ''])(
    '%j is not named to the browser',
    async (Origin) => {
      const response = await listed.api('/ping', { headers: { Origin } })
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
      expect(response.headers.get('vary')).toContain('Origin')
    },
  )

  test('a preflight allows the headers that the routes state, for ten minutes', async () => {
    const response = await listed.api('/notes', { method: 'OPTIONS', headers: { Origin: page, ...asking } })
    expect(response.status).toBe(204)
    expect(await response.text()).toBe('')
    const {
      'access-control-allow-headers': names,
      'access-control-allow-methods': methods,
      ...rest
    } = cors(response)
    expect(names?.split(',')).toEqual([
      ...['Authorization', 'Content-Type', 'traceparent', 'tracestate', 'X-Request-Id'],
      ...['Idempotency-Key', 'if-none-match', 'if-match'],
    ])
    expect(methods?.split(',')).toEqual(expect.arrayContaining(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']))
    expect(rest).toEqual({
      ...{ 'access-control-allow-origin': page, 'access-control-max-age': '600' },
      ...exposed,
    })
    expect(response.headers.get('x-request-id')).not.toBeNull()
  })

  test('a preflight from elsewhere names no origin', async () => {
    const response = await listed.api('/notes', { method: 'OPTIONS', headers: { Origin: other, ...asking } })
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('credentials are never allowed: a token goes in a header', async () => {
    for (const method of ['GET', 'OPTIONS']) {
      const response = await listed.api('/ping', { method, headers: { Origin: page, ...asking } })
      expect(response.headers.get('access-control-allow-credentials')).toBeNull()
    }
  })

  test('an OPTIONS that is no preflight says what the route takes', async () => {
    const response = await listed.api('/ping', { method: 'OPTIONS', headers: { Origin: page } })
    expect([response.status, response.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
    expect(response.headers.get('access-control-allow-methods')).toBeNull()
  })

  test('the contract may still be read from any origin', async () => {
    const response = await listed.api('/openapi.json', { headers: { Origin: other } })
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    await expectJson(response)
  })
})

describe('with *', () => {
  test('any origin may read every answer', async () => {
    for (const path of ['/ping', '/throws']) {
      const response = await open.api(path, { headers: { Origin: other } })
      expect(cors(response)).toEqual({ 'access-control-allow-origin': '*', ...exposed })
    }
  })

  test('a problem is whole, with its CORS headers beside its own', async () => {
    const response = await open.api('/throws', { headers: { Origin: other } })
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('cache-control')).toBe('no-store')
    await expectProblem(response, 500, 'INTERNAL')
  })
})

test('pages elsewhere may send and read the headers that routes state, each named once', async () => {
  const route = defineRoute({
    ...showThing,
    request: { headers: z.object({ 'x-tenant': z.string(), authorization: z.string().optional() }) },
    responses: {
      200: json('The thing', Thing, { 'X-Total': 'How many' }),
      '4XX': { description: 'None', headers: z.object({ 'x-total': z.string().optional() }) },
    },
  })
  const feature = defineFeature({
    name: 'x',
    description: 'X.',
    routes: () => [handle(route, (c) => c.json({ name: 'x' }, 200, { 'X-Total': '1' }))],
  })
  const environment = { CORS_ORIGINS: '*' }
  const { api } = await testService({ databaseUrl: noDatabase, features: [feature], environment })
  const preflight = { Origin: 'https://a.example', 'Access-Control-Request-Method': 'GET' }
  const { headers } = await api('/thing', { method: 'OPTIONS', headers: preflight })
  expect(headers.get('access-control-allow-headers')).toBe(
    'Authorization,Content-Type,traceparent,tracestate,X-Request-Id,if-none-match,x-tenant',
  )
  expect(headers.get('access-control-expose-headers')).toBe(
    'X-Request-Id,Retry-After,WWW-Authenticate,ETag,X-Total',
  )
})
