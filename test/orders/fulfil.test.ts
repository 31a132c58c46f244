import { expect, test } from 'vitest'
import { createWarehouse } from '#dev/orders/warehouse.ts'
import { orders } from '#src/orders/orders.ts'
import { cancelStale, fulfilOrder } from '#src/orders/tasks.ts'
import {
  atEnd,
  expectJson,
  expectProblem,
  onServer,
  runTwice,
  type Scenario,
  type TaskService,
  taskService,
} from '#test/kit'
import { fileOf, importer } from '#test/orders/imports.ts'
import type { Order } from '#test/orders/orders.ts'

const warehouse = await createWarehouse()
atEnd(() => warehouse.close())
const environment = { WAREHOUSE_URL: warehouse.url }
const scopes = ['orders:read', 'orders:write']

async function place(service: TaskService): Promise<Order> {
  const alice = await service.as('alice', scopes)
  return expectJson<Order>(await alice('/orders', { json: { item: 'Teapot', quantity: 2 } }), 201)
}

const read = async (service: TaskService, { id }: Order) =>
  expectJson<Order>(await (await service.as('alice', scopes))(`/orders/${id}`))

test('an order that is placed is sent by the warehouse, once, and fulfilled', async () => {
  const service = await taskService({ environment })
  const order = await place(service)
  const task = await service.expectEnqueued(fulfilOrder, { orderId: order.id })
  await service.drain({ until: '5s' })
  expect(await read(service, order)).toMatchObject({ status: 'fulfilled' })
  const sent = warehouse.shipments().filter(({ orderId }) => orderId === order.id)
  expect(sent).toMatchObject([{ key: task.id, item: 'Teapot', quantity: 2, calls: 1 }])
})

test('without a warehouse an order is only marked', async () => {
  const service = await taskService()
  const order = await place(service)
  await service.drain({ until: '5s' })
  expect(await read(service, order)).toMatchObject({ status: 'fulfilled' })
})

test('an order that is cancelled in time takes its task with it', async () => {
  const service = await taskService({ environment })
  const order = await place(service)
  const alice = await service.as('alice', scopes)
  await expectJson(await alice(`/orders/${order.id}/cancel`, { method: 'POST' }))
  await service.drain({ until: '2h' })
  expect(await service.ledger()).toMatchObject([{ state: 'cancelled', attempts: 0 }])
  expect(await read(service, order)).toMatchObject({ status: 'cancelled' })
})

test('an order whose task was ever tried cannot be cancelled: the parcel may be on its way', async () => {
  const service = await taskService({ environment: { WAREHOUSE_URL: 'http://127.0.0.1:1' } })
  const order = await place(service)
  const alice = await service.as('alice', scopes)
  await service.drain({ until: '5s' })
  expect(await service.ledger()).toMatchObject([{ attempts: 1 }])
  await expectProblem(
    await alice(`/orders/${order.id}/cancel`, { method: 'POST' }),
    409,
    'ORDER_IN_FULFILMENT',
  )
  expect(await read(service, order)).toMatchObject({ status: 'placed' })
  await service.drain({ until: '2h' })
  expect(await service.ledger()).toMatchObject([{ state: 'dead', attempts: 8 }])
})

test('a cancel at the wrong version leaves the task as it is', async () => {
  const service = await taskService({ environment })
  const order = await place(service)
  const alice = await service.as('alice', scopes)
  const cancel = { method: 'POST', headers: { 'If-Match': '"7"' } }
  await expectProblem(await alice(`/orders/${order.id}/cancel`, cancel), 412, 'PRECONDITION_FAILED')
  await service.drain({ until: '5s' })
  expect(await read(service, order)).toMatchObject({ status: 'fulfilled' })
})

test('at night, orders that stayed placed for 30 days are cancelled, and their tasks with them', async () => {
  const service = await taskService({ environment })
  await service.tick() // the schedule begins
  service.emulator.faults.set({ drop: 1 })
  const order = await place(service)
  service.emulator.faults.set({})
  await onServer(service.databaseUrl, "update runtime.tasks set due_at = due_at + interval '90 days'")
  await service.advance('31d')
  const young = await place(service)
  await service.tick()
  await service.expectEnqueued(cancelStale)
  await service.drain({ until: '5s' })
  expect(await read(service, order)).toMatchObject({ status: 'cancelled' })
  expect(await service.expectEnqueued(fulfilOrder, { orderId: order.id })).toMatchObject({
    state: 'cancelled',
  })
  expect(await read(service, young)).toMatchObject({ status: 'fulfilled' })
})

const anImport: Scenario = { arrange: async (service) => (await importer(service)).begin(fileOf(1)) }

const scenarios: Record<string, Scenario> = {
  'orders.import': anImport,
  'orders.import-line': anImport,
  'orders.import-report': anImport,
  'orders.fulfil': {
    arrange: place,
    async observe({ ledger }) {
      const [task] = await ledger()
      const sent = warehouse.shipments().filter(({ orderId }) => orderId === task?.payload.orderId)
      return sent.map(({ item, quantity }) => ({ item, quantity }))
    },
    options: { environment },
  },
  'orders.cancel-stale': {
    async arrange(service) {
      await service.tick()
      await onServer(
        service.databaseUrl,
        "insert into orders (id, owner, item, quantity, created_at) values (gen_random_uuid(), 'bob', 'Cup', 1, '2020-01-01')",
      )
      await service.advance('1d')
      await service.tick()
    },
  },
}

test.each(orders.tasks.map((task) => [task.name, task] as const))('%s may run twice', async (name, task) => {
  const scenario = scenarios[name]
  if (!scenario) throw new Error(`How is ${name} enqueued? Add a scenario.`)
  await runTwice(task, scenario)
})
