import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { encodeCursor } from '#runtime'
import { type Api, expectJson, expectProblem, testService } from '#test/kit'
import { fulfil, idAt, type Order, type Page } from './orders.ts'

const service = await testService()
const both = ['orders:read', 'orders:write']
const alice = await service.as('alice', both)
const teapot = { item: 'Teapot', quantity: 2 }

async function place(): Promise<Order> {
  return expectJson(await alice('/orders', { json: teapot }), 201)
}

function cancel(api: Api, id: string, headers: Record<string, string> = {}) {
  return api(`/orders/${id}/cancel`, { method: 'POST', headers })
}

describe.each([
  ['another subject', 'bob', both],
  ['another subject with every scope there may be', 'bob', [...both, 'orders:admin', 'admin', '*']],
  ['the subject in another case', 'Alice', both],
  ['the subject with a blank behind it', 'alice ', both],
  ['a subject that SQL would take for a pattern', '%', both],
  ['a subject that quotes itself', "alice' or owner = 'alice", both],
])('to %s', (_who, subject, scopes) => {
  test('an order is as if it were not there', async () => {
    const { id } = await place()
    const other = await service.as(subject, scopes)
    const missing = await expectProblem(await other(`/orders/${idAt(0)}`), 404, 'ORDER_NOT_FOUND')
    for (const headers of [{}, { 'If-None-Match': '"1"' }, { 'If-None-Match': '*' }]) {
      const problem = await expectProblem(await other(`/orders/${id}`, { headers }), 404, 'ORDER_NOT_FOUND')
      expect(problem).toMatchObject({ title: missing.title, type: missing.type })
      expect(Object.keys(problem)).toEqual(Object.keys(missing))
    }
  })

  test('it cannot be cancelled, and nothing says that it could', async () => {
    const placed = await place()
    const other = await service.as(subject, scopes)
    for (const headers of [{}, { 'If-Match': '"1"' }, { 'If-Match': '"9"' }, { 'If-Match': '*' }]) {
      await expectProblem(await cancel(other, placed.id, headers), 404, 'ORDER_NOT_FOUND')
    }
    await fulfil(service.databaseUrl, placed.id)
    await expectProblem(await cancel(other, placed.id), 404, 'ORDER_NOT_FOUND')
    expect(await expectJson(await alice(`/orders/${placed.id}`))).toEqual({ ...placed, status: 'fulfilled' })
  })

  test('it is in no list, by no filter and behind no cursor', async () => {
    const { id } = await place()
    const other = await service.as(subject, scopes)
    const younger = encodeCursor(idAt(Date.now() + 60_000))
    const older = encodeCursor(id)
    for (const query of ['', '?status=placed', '?limit=100', `?cursor=${younger}`, `?cursor=${older}`]) {
      expect(await expectJson<Page>(await other(`/orders${query}`))).toEqual({ items: [] })
    }
  })
})

test('each caller lists their own only', async () => {
  const [carol, dave] = [await service.as('carol', both), await service.as('dave', both)]
  const place = async (api: Api) => expectJson<Order>(await api('/orders', { json: teapot }), 201)
  const [hers, his] = await Promise.all([place(carol), place(dave)])
  expect(await expectJson(await carol('/orders'))).toEqual({ items: [hers] })
  expect(await expectJson(await dave('/orders'))).toEqual({ items: [his] })
})

describe('without the scope that a route states', () => {
  test.each([
    ['no scope', []],
    ['the other scope', ['orders:write']],
    ['a scope that begins alike', ['orders:readall', 'orders', 'orders:*']],
  ])('(%s) nothing is read: 403', async (_what, scopes) => {
    const { id } = await place()
    const api = await service.as('alice', scopes)
    for (const path of ['/orders', `/orders/${id}`, `/orders/${idAt(0)}`]) {
      const response = await api(path)
      expect(response.headers.get('www-authenticate')).toContain('scope="orders:read"')
      await expectProblem(response, 403, 'SCOPE_MISSING')
    }
  })

  test.each([
    ['no scope', []],
    ['the other scope', ['orders:read']],
  ])('(%s) nothing is written: 403', async (_what, scopes) => {
    const { id } = await place()
    const api = await service.as('alice', scopes)
    await expectProblem(await api('/orders', { json: teapot }), 403, 'SCOPE_MISSING')
    await expectProblem(await cancel(api, id), 403, 'SCOPE_MISSING')
    expect(await expectJson(await alice(`/orders/${id}`))).toMatchObject({ status: 'placed' })
  })

  test('a wrong request is a 403 still: what it asked is nobody’s business', async () => {
    const api = await service.as('alice', [])
    await expectProblem(await api('/orders', { json: { item: 1 } }), 403, 'SCOPE_MISSING')
    await expectProblem(await api('/orders?limit=0'), 403, 'SCOPE_MISSING')
    await expectProblem(await api('/orders/teapot'), 403, 'SCOPE_MISSING')
  })
})

test.each(['/orders', `/orders/${idAt(0)}`])('without a token %s is a 401', async (path) => {
  await expectProblem(await service.api(path), 401, 'TOKEN_MISSING')
})

test.each([
  ['a NUL character', 'alice\0'],
  ['a lone surrogate, which the database could not tell from another', 'alice\ud800'],
  ['more bytes than an index takes', 'a'.repeat(1001)],
])('a subject with %s owns nothing: 401', async (_what, subject) => {
  const api = await service.as(subject, both)
  await expectProblem(await api('/orders'), 401, 'TOKEN_INVALID')
  await expectProblem(await api('/orders', { json: teapot }), 401, 'TOKEN_INVALID')
})

test.each([
  ['1000 bytes', randomBytes(500).toString('hex')],
  ['250 characters of four bytes', '🫖'.repeat(250)],
  ['line ends, quotes and backslashes', `o'neil\n"\\`],
])('a subject with %s owns orders and keys', async (_what, subject) => {
  const api = await service.as(subject, both)
  const headers = { 'Idempotency-Key': 'k'.repeat(255) }
  const placed = await expectJson(await api('/orders', { json: teapot, headers }), 201)
  expect(await expectJson(await api('/orders', { json: teapot, headers }), 201)).toEqual(placed)
  expect(await expectJson(await api('/orders'))).toEqual({ items: [placed] })
})
