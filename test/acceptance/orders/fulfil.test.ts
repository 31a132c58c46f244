// @module-tag token

import { expect, vi } from 'vitest'
import type { Order } from '#test/orders/orders.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { run, test } from '../acceptance.ts'

/** Cloud Tasks may take its time, and so may an instance that starts. */
const patience = { timeout: 90_000, interval: 1_000 }

test('an order is fulfilled in the background, and cannot be cancelled any more', async ({ alice }) => {
  const placed = await alice('/orders', { json: { item: `fulfil ${run}`, quantity: 2 } })
  const path = `${placed.headers.get('location')}`
  expect(await expectJson<Order>(placed, 201)).toMatchObject({ status: 'placed' })
  await vi.waitFor(async () => {
    expect(await expectJson<Order>(await alice(path))).toMatchObject({ status: 'fulfilled' })
  }, patience)
  await expectProblem(await alice(`${path}/cancel`, { method: 'POST' }), 409, 'ORDER_FULFILLED')
}, 100_000)
