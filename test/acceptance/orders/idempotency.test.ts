// @module-tag token

import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { listOrders, placeOrder } from '#openapi/client.ts'
import type { Api } from '#test/support/client.ts'
import { by, expectRefusal, expectStatus, run, test } from '../acceptance.ts'

const place = (api: Api, key: string, item: string) =>
  placeOrder({ item, quantity: 1 }, { 'Idempotency-Key': key }, by(api))

/** The caller's newest orders of this item. */
async function listed(api: Api, item: string) {
  const { items } = expectStatus(await listOrders({ limit: 100 }, by(api)), 200).data
  return items.filter((order) => order.item === item)
}

test('a request that is sent again gets the first response, and places nothing', async ({ alice }) => {
  const [key, item] = [randomUUID(), `once ${run}`]
  const first = expectStatus(await place(alice, key, item), 201)
  const again = expectStatus(await place(alice, key, item), 201)
  expect(again.headers.get('location')).toBe(first.headers.get('location'))
  expect(again.data).toEqual(first.data)
  expect(await listed(alice, item)).toEqual([first.data])
})

test('a key belongs to one request', async ({ alice }) => {
  const key = randomUUID()
  expectStatus(await place(alice, key, `first ${run}`), 201)
  await expectRefusal(await place(alice, key, `second ${run}`), 422, 'IDEMPOTENCY_KEY_REUSED')
})

test('of requests with one key at the same time, one places the order', async ({ alice }) => {
  const [key, item] = [randomUUID(), `race ${run}`]
  const responses = await Promise.all(Array.from({ length: 5 }, () => place(alice, key, item)))
  for (const response of responses)
    if (response.status !== 201) await expectRefusal(response, 409, 'IDEMPOTENCY_KEY_IN_USE')
  expect(responses.map(({ status }) => status)).toContain(201)
  expect(await listed(alice, item)).toHaveLength(1)
})
