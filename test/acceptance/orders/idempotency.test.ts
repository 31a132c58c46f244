// @module-tag token

import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { Page } from '#test/orders/orders.ts'
import type { Api } from '#test/support/client.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { run, test } from '../acceptance.ts'

function place(api: Api, key: string, item: string): Promise<Response> {
  return api('/orders', { headers: { 'Idempotency-Key': key }, json: { item, quantity: 1 } })
}

test('a request that is sent again gets the first answer, and places nothing', async ({ alice }) => {
  const [key, item] = [randomUUID(), `once ${run}`]
  const first = await place(alice, key, item)
  const order = await expectJson(first, 201)
  const again = await place(alice, key, item)
  expect(again.headers.get('location')).toBe(first.headers.get('location'))
  expect(await expectJson(again, 201)).toEqual(order)

  const { items } = await expectJson<Page>(await alice('/orders?limit=100'))
  expect(items.filter((listed) => listed.item === item)).toEqual([order])
})

test('a key belongs to one request', async ({ alice }) => {
  const key = randomUUID()
  await expectJson(await place(alice, key, `first ${run}`), 201)
  await expectProblem(await place(alice, key, `second ${run}`), 422, 'IDEMPOTENCY_KEY_REUSED')
})

test('of requests with one key at the same time, one places the order', async ({ alice }) => {
  const [key, item] = [randomUUID(), `race ${run}`]
  const responses = await Promise.all(Array.from({ length: 5 }, () => place(alice, key, item)))
  for (const response of responses) {
    if (response.status === 201) await expectJson(response, 201)
    else await expectProblem(response, 409, 'IDEMPOTENCY_KEY_IN_USE')
  }
  expect(responses.map(({ status }) => status)).toContain(201)
  const { items } = await expectJson<Page>(await alice('/orders?limit=100'))
  expect(items.filter((listed) => listed.item === item)).toHaveLength(1)
})
