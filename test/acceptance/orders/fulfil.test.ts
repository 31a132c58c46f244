// @module-tag token

import { expect, vi } from 'vitest'
import { cancelOrder, getOrder, placeOrder } from '#openapi/client.ts'
import { by, expectRefusal, expectStatus, run, test } from '../acceptance.ts'

/** Cloud Tasks may take its time, and so may an instance that starts. */
const patience = { timeout: 90_000, interval: 1_000 }

test('an order is fulfilled in the background, and cannot be cancelled any more', async ({ alice }) => {
  const order = { item: `fulfil ${run}`, quantity: 2 }
  const { id, status } = expectStatus(await placeOrder(order, {}, by(alice)), 201).data
  expect(status).toBe('placed')
  await vi.waitFor(async () => {
    expect(expectStatus(await getOrder(id, {}, by(alice)), 200).data.status).toBe('fulfilled')
  }, patience)
  await expectRefusal(await cancelOrder(id, {}, by(alice)), 409, 'ORDER_FULFILLED')
}, 100_000)
