import { expect, test } from 'vitest'
import { cancelStale, fulfilOrder } from '#src/orders/tasks.ts'
import { expectJson, expectProblem, startTarget, taskService } from '#test/kit'
import { fulfil, type Order } from './orders.ts'

// The service's orders and their tasks: what holds when both change.

const warehouse = await startTarget()
const service = await taskService({ environment: { WAREHOUSE_URL: warehouse.url } })
const { databaseUrl, ledger, drain } = service
const alice = await service.as('alice', ['orders:read', 'orders:write'])
const place = async (headers = {}) =>
  expectJson<Order>(await alice('/orders', { json: { item: 'Teapot', quantity: 2 }, headers }), 201)
const cancel = ({ id }: Order) => alice(`/orders/${id}/cancel`, { method: 'POST' })
const read = async ({ id }: Order) => (await expectJson<Order>(await alice(`/orders/${id}`))).status
const taskOf = async ({ id }: Order) => (await ledger()).find(({ payload }) => payload.orderId === id)
const shipped = (
  _request: unknown,
  response: { writeHead(status: number): { end(body: string): unknown } },
) => void response.writeHead(201).end('{"id":"parcel 7"}')

test('one order, one task: a request that is repeated under its idempotency key enqueues nothing more', async () => {
  const headers = { 'Idempotency-Key': 'once' }
  const order = await place(headers)
  expect(await place(headers)).toEqual(order)
  expect(await ledger()).toHaveLength(1)
  await service.expectEnqueued(fulfilOrder, { orderId: order.id })
  await cancel(order)
})

test('no order, no task', async () => {
  const before = (await ledger()).length
  await expectProblem(await alice('/orders', { json: { item: '', quantity: 2 } }), 400, 'VALIDATION_FAILED')
  expect(await ledger()).toHaveLength(before)
})

test('while the warehouse is asked the cancel is a 409, and after it as well', async () => {
  const order = await place()
  const asked = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  warehouse.answers = [
    async (request, response) => {
      asked.resolve()
      await go.promise
      shipped(request, response)
    },
  ]
  const draining = drain({ until: '5s' })
  await asked.promise
  await expectProblem(await cancel(order), 409, 'ORDER_IN_FULFILMENT')
  go.resolve()
  await draining
  expect(await read(order)).toBe('fulfilled')
  await expectProblem(await cancel(order), 409, 'ORDER_FULFILLED')
  expect(await taskOf(order)).toMatchObject({ state: 'done' })
})

test('an order whose task is dead is not cancelled either: nobody knows where the parcel is', async () => {
  const order = await place()
  warehouse.answers = Array(8).fill(500)
  await drain({ until: '2h' })
  expect(await taskOf(order)).toMatchObject({ state: 'dead' })
  await expectProblem(await cancel(order), 409, 'ORDER_IN_FULFILMENT')
  expect(await read(order)).toBe('placed')
})

test('nor when it has been there for longer than 30 days, and the night comes', async () => {
  const [dead] = (await ledger()).filter(({ state }) => state === 'dead')
  await service.tick() // the schedule is declared
  await service.advance('31d')
  await service.tick()
  await drain()
  await service.expectEnqueued(cancelStale)
  expect((await ledger()).find(({ name }) => name === cancelStale.name)).toMatchObject({ state: 'done' })
  expect(await read({ id: dead?.payload.orderId } as Order)).toBe('placed')
  expect(await taskOf({ id: dead?.payload.orderId } as Order)).toMatchObject({ state: 'dead' })
})

test('until an operator redrives it, and it is fulfilled', async () => {
  const olga = await service.as('olga', ['runtime:admin'])
  const [dead] = (await ledger()).filter(({ state }) => state === 'dead')
  warehouse.answers = [shipped]
  await expectJson(await olga(`/runtime/tasks/${dead?.id}/redrive`, { method: 'POST' }))
  await drain({ until: '5s' })
  expect(await read({ id: dead?.payload.orderId } as Order)).toBe('fulfilled')
})

test('an order that somebody else has fulfilled stays so, and its task as it is', async () => {
  const order = await place()
  await fulfil(databaseUrl, order.id)
  await expectProblem(await cancel(order), 409, 'ORDER_FULFILLED')
  expect(await taskOf(order)).toMatchObject({ state: 'queued' })
  await drain({ until: '5s' })
  expect(await taskOf(order)).toMatchObject({ state: 'done' })
})

test('cancels and deliveries at once: each order is cancelled and never sent, or sent and never cancelled', async () => {
  warehouse.received.length = 0
  warehouse.answers = Array(400).fill(shipped) // an attempt may be repeated
  const orders: Order[] = []
  for (let count = 0; count < 40; count++) orders.push(await place())
  /** Cancels as a client does: a 503 says that no connection to the database was free in time. */
  const cancelAtLast = async (order: Order): Promise<Response> => {
    const response = await cancel(order)
    if (response.status !== 503) return response
    const { code } = (await response.json()) as { code: string }
    expect(['OVERLOADED', 'DATABASE_UNAVAILABLE']).toContain(code)
    return cancelAtLast(order)
  }
  const [responses] = await Promise.all([Promise.all(orders.map(cancelAtLast)), drain({ until: '5s' })])
  await drain({ until: '1m' })
  const sent = new Set(warehouse.received.map(({ body }) => JSON.parse(body).orderId))
  for (const [index, order] of orders.entries()) {
    const { status } = responses[index] as Response
    await responses[index]?.text()
    expect([200, 409]).toContain(status)
    expect(await read(order)).toBe(status === 200 ? 'cancelled' : 'fulfilled')
    expect(sent.has(order.id)).toBe(status === 409)
  }
})
