// @module-tag token

import { expect } from 'vitest'
import type { Order, Page } from '#test/orders/orders.ts'
import type { Api } from '#test/support/client.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { run, test } from '../acceptance.ts'

async function place(api: Api, item: string): Promise<Order & { path: string; etag: string }> {
  const response = await api('/orders', { json: { item, quantity: 2 } })
  const order = await expectJson<Order>(response, 201)
  return { ...order, path: `${response.headers.get('location')}`, etag: `${response.headers.get('etag')}` }
}

/** Walks through the caller's list, newest first, until all of `ids` have come by. */
async function walk(api: Api, query: string, ids: readonly string[]): Promise<string[]> {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await expectJson<Page>(await api(`/orders?${query}${cursor ? `&cursor=${cursor}` : ''}`))
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor && !ids.every((id) => seen.includes(id)))
  return seen
}

test('an order that was placed can be read where the answer says', async ({ alice }) => {
  const { path, etag, ...order } = await place(alice, `read ${run}`)
  expect(order).toEqual({
    id: expect.stringMatching(/^[\da-f-]{36}$/),
    item: `read ${run}`,
    quantity: 2,
    status: 'placed',
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  })
  const response = await alice(path)
  expect(response.headers.get('etag')).toBe(etag)
  expect(await expectJson(response)).toEqual(order)
  expect((await alice(path, { headers: { 'If-None-Match': etag } })).status).toBe(304)
})

test('the list has the newest first, page by page', async ({ alice }) => {
  const orders = [
    await place(alice, `1 ${run}`),
    await place(alice, `2 ${run}`),
    await place(alice, `3 ${run}`),
  ]
  const newestFirst = orders.map(({ id }) => id).reverse()
  const seen = await walk(alice, 'limit=2', newestFirst)
  expect(seen.filter((id) => newestFirst.includes(id))).toEqual(newestFirst)
  expect(new Set(seen).size).toBe(seen.length)
})

test('an order is cancelled at the version that the caller knows', async ({ alice }) => {
  const { path, etag, id } = await place(alice, `cancel ${run}`)
  const cancel = (ifMatch: string) =>
    alice(`${path}/cancel`, { method: 'POST', headers: { 'If-Match': ifMatch } })
  await expectProblem(await cancel('"0"'), 412, 'PRECONDITION_FAILED')
  expect(await expectJson(await alice(path))).toMatchObject({ status: 'placed' })

  const cancelled = await cancel(etag)
  expect(cancelled.headers.get('etag')).not.toBe(etag)
  expect(await expectJson(cancelled)).toMatchObject({ id, status: 'cancelled' })
  expect(await walk(alice, 'status=cancelled', [id])).toContain(id)
  await expectProblem(await cancel(etag), 412, 'PRECONDITION_FAILED')
})

test('an order that does not fit the contract is refused, with the places that do not', async ({ alice }) => {
  const json = { item: '', quantity: 1001, colour: 'blue' }
  const { errors } = await expectProblem(await alice('/orders', { json }), 400, 'VALIDATION_FAILED')
  const pointers = (errors as { pointer: string }[]).map(({ pointer }) => pointer)
  expect(pointers.sort()).toEqual(['#/colour', '#/item', '#/quantity'])
})

test('an order is nobody’s but its owner’s', async ({ alice, others }) => {
  const { path, id } = await place(alice, `mine ${run}`)
  for (const { api, refusal } of others) {
    const [status, code] = refusal ?? [404, 'ORDER_NOT_FOUND']
    await expectProblem(await api(path), status, code)
    await expectProblem(await api(`${path}/cancel`, { method: 'POST' }), status, code)
    const list = await api('/orders?limit=100')
    if (!refusal) expect((await expectJson<Page>(list)).items).toEqual([])
    else await expectProblem(list, status, code)
  }
  expect(await expectJson(await alice(path))).toMatchObject({ id, status: 'placed' })
})
