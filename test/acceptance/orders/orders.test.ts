// @module-tag token

import { expect } from 'vitest'
import { cancelOrder, getOrder, type ListOrdersParams, listOrders, placeOrder } from '#openapi/client.ts'
import type { Api } from '#test/support/client.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { by, expectRefusal, expectStatus, run, test } from '../acceptance.ts'

async function place(api: Api, item: string) {
  const { data: order, headers } = expectStatus(await placeOrder({ item, quantity: 2 }, {}, by(api)), 201)
  return { order, id: order.id, path: `${headers.get('location')}`, etag: `${headers.get('etag')}` }
}

/** Walks through the caller's list, newest first, until all of `ids` have come by. */
async function walk(api: Api, query: ListOrdersParams, ids: readonly string[]): Promise<string[]> {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = expectStatus(await listOrders({ ...query, ...(cursor && { cursor }) }, by(api)), 200).data
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor && !ids.every((id) => seen.includes(id)))
  return seen
}

test('an order that was placed can be read where the response says', async ({ alice }) => {
  const { order, id, path, etag } = await place(alice, `read ${run}`)
  expect(order).toEqual({
    id: expect.stringMatching(/^[\da-f-]{36}$/),
    item: `read ${run}`,
    quantity: 2,
    status: 'placed',
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  })
  expect(await expectJson(await alice(path))).toEqual(order)
  const read = expectStatus(await getOrder(id, {}, by(alice)), 200)
  expect([read.headers.get('etag'), read.data]).toEqual([etag, order])
  expectStatus(await getOrder(id, { 'if-none-match': etag }, by(alice)), 304)
})

test('the list has the newest first, page by page', async ({ alice }) => {
  const orders = [
    await place(alice, `1 ${run}`),
    await place(alice, `2 ${run}`),
    await place(alice, `3 ${run}`),
  ]
  const newestFirst = orders.map(({ id }) => id).reverse()
  const seen = await walk(alice, { limit: 2 }, newestFirst)
  expect(seen.filter((id) => newestFirst.includes(id))).toEqual(newestFirst)
  expect(new Set(seen).size).toBe(seen.length)
})

test('an order is cancelled at the version that the caller knows', async ({ alice }) => {
  const { etag, id } = await place(alice, `cancel ${run}`)
  const cancel = (ifMatch: string) => cancelOrder(id, { 'if-match': ifMatch }, by(alice))
  await expectRefusal(await cancel('"0"'), 412, 'PRECONDITION_FAILED')
  expect(expectStatus(await getOrder(id, {}, by(alice)), 200).data.status).toBe('placed')

  const cancelled = expectStatus(await cancel(etag), 200)
  expect(cancelled.headers.get('etag')).not.toBe(etag)
  expect(cancelled.data).toMatchObject({ id, status: 'cancelled' })
  expect(await walk(alice, { status: 'cancelled' }, [id])).toContain(id)
  await expectRefusal(await cancel(etag), 412, 'PRECONDITION_FAILED')
})

test('an order that does not fit the contract is refused, with the places that do not', async ({ alice }) => {
  const json = { item: '', quantity: 1001, colour: 'blue' }
  const { errors } = await expectProblem(await alice('/orders', { json }), 400, 'VALIDATION_FAILED')
  const pointers = (errors as { pointer: string }[]).map(({ pointer }) => pointer)
  expect(pointers.sort()).toEqual(['#/colour', '#/item', '#/quantity'])
})

test('an order is nobody’s but its owner’s', async ({ alice, others }) => {
  const { id } = await place(alice, `mine ${run}`)
  for (const { api, refusal } of others) {
    const [status, code] = refusal ?? [404, 'ORDER_NOT_FOUND']
    await expectRefusal(await getOrder(id, {}, by(api)), status, code)
    await expectRefusal(await cancelOrder(id, {}, by(api)), status, code)
    const list = await listOrders({ limit: 100 }, by(api))
    if (!refusal) expect(expectStatus(list, 200).data.items).toEqual([])
    else await expectRefusal(list, status, code)
  }
  expect(expectStatus(await getOrder(id, {}, by(alice)), 200).data).toMatchObject({ id, status: 'placed' })
})
