import { expect, test } from 'vitest'
import { expectJson, expectProblem, lockWaits, openSession, testService } from '#test/kit'
import type { Order } from './orders.ts'

const service = await testService()
const { databaseUrl } = service
const alice = await service.as('alice', ['orders:read', 'orders:write'])

async function place(): Promise<string> {
  const placed = await alice('/orders', { json: { item: 'Teapot', quantity: 2 } })
  return (await expectJson<Order>(placed, 201)).id
}

function cancel(id: string, headers: Record<string, string> = {}) {
  return alice(`/orders/${id}/cancel`, { method: 'POST', headers })
}

/** Cancels while another connection has changed the row but not committed, and commits when the cancel waits. */
async function cancelAgainst(id: string, change: string, headers: Record<string, string> = {}) {
  const other = await openSession(databaseUrl)
  await other.query('begin')
  await other.query(`update orders set ${change} where id = $1`, [id])
  const response = cancel(id, headers)
  await lockWaits(databaseUrl)
  await other.query('commit')
  return response
}

test('the version is checked in the UPDATE: a change that commits while the cancel waits is a 412', async () => {
  const id = await place()
  const response = await cancelAgainst(id, 'quantity = 3, version = version + 1', { 'If-Match': '"1"' })
  await expectProblem(response, 412, 'PRECONDITION_FAILED')
  const read = await alice(`/orders/${id}`)
  expect(await expectJson(read)).toMatchObject({ status: 'placed', quantity: 3 })
  expect(read.headers.get('etag')).toBe('"2"')
})

test('so is the status: an order that is fulfilled while the cancel waits stays fulfilled', async () => {
  const id = await place()
  const response = await cancelAgainst(id, "status = 'fulfilled', version = version + 1")
  await expectProblem(response, 409, 'ORDER_FULFILLED')
  const read = await alice(`/orders/${id}`)
  expect(await expectJson(read)).toMatchObject({ status: 'fulfilled' })
  expect(read.headers.get('etag')).toBe('"2"')
})

test('without If-Match a change that commits while the cancel waits is kept, and cancelled', async () => {
  const id = await place()
  const response = await cancelAgainst(id, 'quantity = 3, version = version + 1')
  expect(await expectJson(response)).toMatchObject({ status: 'cancelled', quantity: 3 })
  expect(response.headers.get('etag')).toBe('"3"')
})

test('a change that is rolled back while the cancel waits is as if it never was', async () => {
  const id = await place()
  const other = await openSession(databaseUrl)
  await other.query('begin')
  await other.query('delete from orders where id = $1', [id])
  const response = cancel(id, { 'If-Match': '"1"' })
  await lockWaits(databaseUrl)
  await other.query('rollback')
  expect(await expectJson(await response)).toMatchObject({ status: 'cancelled' })
})

test('an order that is deleted while the cancel waits is a 404', async () => {
  const id = await place()
  const other = await openSession(databaseUrl)
  await other.query('begin')
  await other.query('delete from orders where id = $1', [id])
  const response = cancel(id)
  await lockWaits(databaseUrl)
  await other.query('commit')
  await expectProblem(await response, 404, 'ORDER_NOT_FOUND')
})

test('of concurrent cancels with one If-Match exactly one wins the version; the others get 412', async () => {
  const id = await place()
  const other = await openSession(databaseUrl)
  await other.query('begin')
  await other.query('select 1 from orders where id = $1 for update', [id])
  const racing = Array.from({ length: 4 }, () => cancel(id, { 'If-Match': '"1"' }))
  await lockWaits(databaseUrl, racing.length) // all of them read version 1, and wait for the row
  await other.query('commit')
  const responses = await Promise.all(racing)
  expect(responses.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412])
  const read = await alice(`/orders/${id}`)
  expect(read.headers.get('etag')).toBe('"2"')
  await expectJson(read)
  await Promise.all(responses.map((response) => response.text()))
})

test('concurrent cancels without If-Match all answer the same, and change the order once', async () => {
  const id = await place()
  const responses = await Promise.all(Array.from({ length: 8 }, () => cancel(id)))
  const orders = await Promise.all(responses.map((response) => expectJson<Order>(response)))
  for (const order of orders) expect(order).toEqual({ ...orders[0], id, status: 'cancelled' })
  for (const response of responses) expect(response.headers.get('etag')).toBe('"2"')
})
