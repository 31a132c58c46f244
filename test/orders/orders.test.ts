import { expect, test } from 'vitest'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { testService } from '#test/support/service.ts'

const service = await testService()
const alice = await service.as('alice', ['orders:read', 'orders:write'])
const bob = await service.as('bob', ['orders:read', 'orders:write'])
const teapot = { item: 'Teapot', quantity: 2 }

test('an order that was placed can be read, by its owner only', async () => {
  const placed = await alice('/orders', { json: teapot })
  const order = await expectJson(placed, 201)
  expect(order).toEqual({
    id: expect.any(String),
    ...teapot,
    status: 'placed',
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  })
  expect(placed.headers.get('location')).toBe(`/orders/${order.id}`)

  const read = await alice(`/orders/${order.id}`)
  expect(await expectJson(read)).toEqual(order)
  await expectProblem(await bob(`/orders/${order.id}`), 404, 'ORDER_NOT_FOUND')
})
