import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { cancelTask } from '#src/runtime/tasks/cancel.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { trial } from './trial.ts'

// A cancelled task of a limited key wakes the next one, as any end does. No tick runs here.

const order: number[] = []
const ordered = defineTask({
  name: 'trial.ordered',
  payload: z.object({ n: z.int() }),
  limit: { ordered: true },
  async run({ payload: { n } }) {
    order.push(n)
  },
})
const service = await trial({ tasks: [ordered] })
const { request, query, drain } = service
const operator = await service.as('operator', ['runtime:admin'])
const cancelByOperator = (id: string) => operator(`/runtime/tasks/${id}/cancel`, { method: 'POST' })

beforeEach(async () => {
  order.length = 0
  await service.clear()
})

/** Enqueues a task that is due in an hour, and three behind it, which are set aside. */
async function heldUp(): Promise<string> {
  const { id } = await request((tx) => enqueue(tx, ordered, { n: 0 }, { delay: '1h' }))
  await service.advance('1s')
  for (const n of [1, 2, 3]) await request((tx) => enqueue(tx, ordered, { n }))
  await drain()
  expect(order).toEqual([])
  return id
}

test('a task that cancels the first of an ordered key lets the next ones run at once', async () => {
  const id = await heldUp()
  expect(await request((tx) => cancelTask(tx, id))).toBe('cancelled')
  await drain()
  expect(order.toSorted()).toEqual([1, 2, 3])
})

test('an operator who cancels the first of an ordered key lets the next ones run at once', async () => {
  const id = await heldUp()
  expect((await cancelByOperator(id)).status).toBe(200)
  await drain()
  expect(order.toSorted()).toEqual([1, 2, 3])
})

test('a task that was woken and is cancelled before it starts passes its place on', async () => {
  const id = await heldUp()
  await query("update runtime.tasks set state = 'cancelled' where id = $1", [id])
  const rows = await query('select id from runtime.tasks where limit_slot = -1 order by id limit 1')
  const next = String(rows[0]?.id)
  await query("update runtime.tasks set limit_slot = 0, state = 'queued' where id = $1", [next])
  expect(await request((tx) => cancelTask(tx, next))).toBe('cancelled')
  await drain()
  expect(order).toHaveLength(2)
})

test('the cancel of a task that runs leaves the next one to that attempt, whose code may still go on', async () => {
  const id = await heldUp()
  await query("update runtime.tasks set state = 'running', limit_slot = 1 where id = $1", [id])
  expect((await cancelByOperator(id)).status).toBe(200)
  await drain()
  expect(order).toEqual([])
})
