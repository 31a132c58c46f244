import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { noteScopes, notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'

const Seen = z.looseObject({})
const route = defineRoute({
  method: 'get',
  path: '/things/{name}',
  operationId: 'getThing',
  summary: 'Answer what was asked for',
  security: 'public',
  request: {
    params: z.object({ name: z.string().max(20) }),
    query: z.strictObject({
      word: z.string().max(20).optional(),
      tag: z.array(z.string().regex(/^\w*$/)).max(3).optional(),
    }),
    headers: z.object({ 'x-number': z.string().regex(/^\d+$/).optional() }),
    cookies: z.object({ colour: z.enum(['red', 'blue']).optional(), note: z.string().optional() }),
  },
  responses: { 200: json('What was asked for', Seen) },
})
const things = handle(route, async (c) => {
  const { req } = c
  const seen = {
    ...req.valid('param'),
    ...req.valid('query'),
    ...req.valid('header'),
    ...req.valid('cookie'),
  }
  return c.json(JSON.parse(JSON.stringify(seen)), 200)
})
const service = await testService({ databaseUrl: noDatabase, features: [notes, featureOf(things)] })
const { api } = service
const alice = await service.as('alice', noteScopes)

async function expectErrors(response: Response, ...errors: { in: string; pointer: string }[]) {
  const problem = await expectProblem(response, 400, 'VALIDATION_FAILED')
  expect(problem.errors).toEqual(errors.map((error) => ({ detail: expect.any(String), ...error })))
}

describe('the query', () => {
  test.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=', 'limit'],
    ['limit=010', 'limit'],
    ['limit=0x10', 'limit'],
    ['limit=%2010', 'limit'],
    ['limit=+10', 'limit'],
    ['limit=10.5', 'limit'],
    ['limit=NaN', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=٣', 'limit'],
    [`limit=${'9'.repeat(400)}`, 'limit'],
    ['status=lost', 'status'],
    ['status=', 'status'],
    ['cursor=', 'cursor'],
    ['cursor=rubbish', 'cursor'],
    ['cursor=%FF', undefined],
    ['unknown=1', 'unknown'],
    ['Limit=1', 'Limit'],
    ['limit[]=1', 'limit[]'],
    ['limit%5B0%5D=1', 'limit[0]'],
    ['=1', ''],
    ['__proto__=1', '__proto__'],
    ['__proto__[limit]=1', '__proto__[limit]'],
    ['constructor=1', 'constructor'],
    ['limit=1&limit=1', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['limit=1&%6Cimit=1', 'limit'],
    ['__proto__=1&__proto__=2', '__proto__'],
    ['status=%00', 'status'],
    ['%00=1', '\u0000'],
    ['limit=%zz', undefined],
    ['limit=%', undefined],
    ['limit=%E0%A4', undefined],
    ['limit=%ED%A0%80', undefined],
    ['%C3=1', undefined],
    ['limit=%C0%AF', undefined],
  ])('?%s is refused', async (query, name) => {
    const response = await alice(`/notes?${query}`)
    if (name === undefined) return void (await expectProblem(response, 400, 'MALFORMED_REQUEST'))
    await expectErrors(response, { in: 'query', pointer: `#/${encodeURIComponent(name)}` })
  })

  test('is refused where a route takes none at all', async () => {
    await expectErrors(await api('/ping?a=1'), { in: 'query', pointer: '#/a' })
    await expectErrors(await api('/openapi.json?__proto__'), { in: 'query', pointer: '#/__proto__' })
    const note = '/notes/01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f'
    await expectErrors(await alice(`${note}?a`), { in: 'query', pointer: '#/a' })
    await expectErrors(await alice(`${note}/close?a`, { method: 'POST' }), { in: 'query', pointer: '#/a' })
  })

  test('may be empty', async () => {
    for (const query of ['?', '?&', '?&&']) expect((await api(`/ping${query}`)).status).toBe(200)
  })

  test('is decoded as forms are, and a list may repeat its key', async () => {
    const response = await api('/things/a?word=b+c%2B%C3%A9%26&tag=x&tag=&tag=y')
    expect(await expectJson(response)).toEqual({ name: 'a', word: 'b c+é&', tag: ['x', '', 'y'] })
    expect(await expectJson(await api('/things/a?tag=x'))).toEqual({ name: 'a', tag: ['x'] })
  })

  test('points into a list', async () => {
    await expectErrors(await api('/things/a?tag=x&tag=%2F'), { in: 'query', pointer: '#/tag/1' })
    await expectErrors(await api('/things/a?tag=x&tag=%00'), { in: 'query', pointer: '#/tag' })
  })

  test('names each thing that is wrong', async () => {
    const response = await alice('/notes?limit=0&status=lost&a=1&b=2')
    const problem = await expectProblem(response, 400, 'VALIDATION_FAILED')
    const errors = problem.errors as { pointer: string }[]
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(['#/a', '#/b', '#/limit', '#/status'])
  })
})

describe('the path', () => {
  test.each([
    'rubbish',
    '1',
    '%00',
    '%zz',
    '%E0%A4%A',
    '%ff',
    `${'x'.repeat(5000)}`,
    '__proto__',
    '%2e%2e%2fping',
  ])('/notes/%s is refused', async (id) => {
    for (const request of [{}, { method: 'HEAD' }]) {
      expect((await alice(`/notes/${id}`, request)).status).toBe(400)
    }
    await expectErrors(await alice(`/notes/${id}`), { in: 'path', pointer: '#/id' })
  })

  test('is decoded, and checked for poison', async () => {
    expect(await expectJson(await api('/things/a%20b%2Fc%C3%A9'))).toEqual({ name: 'a b/cé' })
    await expectErrors(await api('/things/a%00'), { in: 'path', pointer: '#/name' })
    expect(await expectJson(await api('/things/__proto__'))).toEqual({ name: '__proto__' })
  })

  test('that cannot be decoded is no reason to fail', async () => {
    for (const name of ['%', '%zz', '%E0%A4', '%ED%A0%80']) {
      expect((await api(`/things/${name}`)).status).toBeLessThan(500)
    }
  })
})

describe('the headers', () => {
  test.each(['', 'x', '1, 2', '-1'])('X-Number: %j is refused', async (value) => {
    const response = await api('/things/a', { headers: { 'X-Number': value } })
    await expectErrors(response, { in: 'header', pointer: '#/x-number' })
  })

  test.each(['', 'a b', 'x'.repeat(256), 'ä'])('Idempotency-Key: %j is refused', async (key) => {
    const headers = { 'Idempotency-Key': key }
    const response = await alice('/notes', { json: { text: 'Tea', pages: 2 }, headers })
    await expectErrors(response, { in: 'header', pointer: '#/idempotency-key' })
  })

  test('that no schema names are nobody’s business', async () => {
    const headers = { 'X-Unknown': '1', __proto__header: '1', 'X-Number': '7' }
    expect(await expectJson(await api('/things/a', { headers }))).toEqual({ name: 'a', 'x-number': '7' })
  })
})

test.each([
  ['colour=green', 'colour'],
  ['colour=', 'colour'],
  ['colour=%00', 'colour'],
  ['note=%00', 'note'],
])('the cookie %s is refused', async (cookie, name) => {
  const response = await api('/things/a', { headers: { Cookie: cookie } })
  await expectErrors(response, { in: 'cookie', pointer: `#/${name}` })
})

test('cookies that no schema names are nobody’s business', async () => {
  const headers = { Cookie: 'a=%00; __proto__=x; colour=red; ;=; broken' }
  expect(await expectJson(await api('/things/a', { headers }))).toEqual({ name: 'a', colour: 'red' })
})
