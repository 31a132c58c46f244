import { expect, test } from 'vitest'
import { expectJson, onServer, taskService } from '#test/kit'
import type { Order } from '#test/orders/orders.ts'

// What the owner's webhooks are told of an order. They are sent by src/webhooks/, and test/webhooks/ tests that.

const scopes = ['orders:read', 'orders:write', 'webhooks:read', 'webhooks:write']
const service = await taskService()
const alice = await service.as('alice', scopes)

/** What the events of an order say, by their types, the oldest first. */
async function eventsOf({ id }: Order): Promise<(readonly [type: string, data: Order])[]> {
  const sql =
    "select body::json as body from webhook_deliveries where body::json #>> '{data,id}' = $1 order by id"
  const { rows } = await onServer(service.databaseUrl, sql, [id])
  return rows.map(({ body }) => [body.type, body.data] as const)
}

const place = async () =>
  expectJson<Order>(await alice('/orders', { json: { item: 'Teapot', quantity: 2 } }), 201)

await expectJson(
  await alice('/webhooks', { json: { url: 'https://a.example.com/', events: ['order.*'] } }),
  201,
)
await service.tick() // the schedule starts

test('an order is placed and fulfilled', async () => {
  const order = await place()
  await service.drain({ until: '6s' })
  expect(await eventsOf(order)).toEqual([
    ['order.placed', order],
    ['order.fulfilled', { ...order, status: 'fulfilled' }],
  ])
})

test('an order is cancelled, once, by whatever number of requests', async () => {
  const order = await place()
  for (let count = 0; count < 3; count++)
    await expectJson(await alice(`/orders/${order.id}/cancel`, { method: 'POST' }))
  expect(await eventsOf(order)).toEqual([
    ['order.placed', order],
    ['order.cancelled', { ...order, status: 'cancelled' }],
  ])
})

test('an order is cancelled at night', async () => {
  service.emulator.faults.set({ drop: 1 })
  const order = await place()
  service.emulator.faults.set({})
  await onServer(
    service.databaseUrl,
    "update runtime.tasks set due_at = due_at + interval '90 days' where name = 'orders.fulfil'",
  )
  await service.advance('31d')
  await service.tick()
  await service.drain({ until: '5s' })
  const events = await eventsOf(order)
  expect(events.map(([type]) => type)).toEqual(['order.placed', 'order.cancelled'])
})

test('nothing is told of an order that was not placed, nor of one that another caller places', async () => {
  const before = await onServer(service.databaseUrl, 'select count(*)::int from webhook_deliveries')
  const bob = await service.as('bob', scopes)
  await expectJson(await bob('/orders', { json: { item: 'Teapot', quantity: 2 } }), 201)
  const headers = { 'Idempotency-Key': 'twice' }
  await expectJson(await bob('/orders', { json: { item: 'Teapot', quantity: 2 }, headers }), 201)
  const after = await onServer(service.databaseUrl, 'select count(*)::int from webhook_deliveries')
  expect(after.rows).toEqual(before.rows)
})

test('an order that is placed twice with one key is told once', async () => {
  const headers = { 'Idempotency-Key': 'one' }
  const send = () => alice('/orders', { json: { item: 'Kettle', quantity: 1 }, headers })
  const order = await expectJson<Order>(await send(), 201)
  expect(await expectJson(await send(), 201)).toEqual(order)
  expect(await eventsOf(order)).toHaveLength(1)
})
