import { randomUUIDv7 } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { features } from '#src/app.ts'
import { orders } from '#src/orders/table.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { taskService } from '#test/kit'
import { benchTasks, fanOut, fiveSteps } from '../../bench/contestants/service-tasks/tasks.ts'

// What the benchmark measures: tasks that fulfil orders.

const service = await taskService({ features: [...features, benchTasks] })
const { database, drain, ledger } = service
const ids = [randomUUIDv7(), randomUUIDv7()] as const

beforeEach(async () => {
  await database.delete(orders)
  const order = { owner: 'tasks', item: 'Teapot', quantity: 2 }
  await database.insert(orders).values(ids.map((id) => ({ ...order, id })))
})

const statuses = async () => (await database.select().from(orders)).map(({ status }) => status)

test('an order is fulfilled in five steps', async () => {
  for (const orderId of ids) await database.transaction((tx) => enqueue(tx, fiveSteps, { orderId }))
  await drain({ until: '1h' }) // the tick sends what no request has sent
  expect(await ledger()).toMatchObject(ids.map(() => ({ state: 'done', last_error: null })))
  expect(await statuses()).toEqual(['fulfilled', 'fulfilled'])
})

test('one task enqueues those of all orders that wait', async () => {
  await database.transaction((tx) => enqueue(tx, fanOut, {}))
  await drain({ until: '1h' }) // the tick sends what no request has sent
  expect(await statuses()).toEqual(['fulfilled', 'fulfilled'])
})
