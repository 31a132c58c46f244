import { randomUUID } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { cancelTask } from '#src/runtime/tasks/cancel.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { trial } from './trial.ts'

let runs = 0
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  async run() {
    runs++
  },
})
const service = await trial({ tasks: [work] })
const { request, ledger, drain, query, databaseUrl, database } = service

beforeEach(async () => {
  await service.clear()
  runs = 0
})

/** Enqueues a task, and sets its state, and whether it was ever claimed. Returns its id. */
async function make(state: string, started = false): Promise<string> {
  const { id } = await request((tx) => enqueue(tx, work, {}))
  await query('update runtime.tasks set state = $1, started_at = $2', [state, started ? new Date() : null])
  return id
}

test.each([
  ['pending', false, 'cancelled'],
  ['queued', false, 'cancelled'],
  ['dead', false, 'cancelled'],
  ['cancelled', false, 'cancelled'],
  ['pending', true, 'started'],
  ['queued', true, 'started'],
  ['running', true, 'started'],
  ['dead', true, 'dead'],
  ['done', true, 'done'],
])('one that is %s, ever claimed: %s, is %s', async (state, started, expected) => {
  const id = await make(state, started)
  expect(await database.transaction((tx) => cancelTask(tx, id))).toBe(expected)
  const [row] = await ledger()
  expect(row?.state).toBe(expected === 'cancelled' ? 'cancelled' : state)
  expect(row?.dispatch).toBe(expected === 'cancelled' && state !== 'cancelled' ? 2 : 1)
})

test('one that is not there is gone', async () => {
  expect(await database.transaction((tx) => cancelTask(tx, randomUUID()))).toBe('gone')
})

test('a cancelled one is not run, though its delivery comes', async () => {
  const id = await make('queued')
  await database.transaction((tx) => cancelTask(tx, id))
  expect(await drain()).toMatchObject([{ status: 200 }])
  expect([runs, (await ledger())[0]?.attempts]).toEqual([0, 0])
})

test('a cancel that is rolled back never was', async () => {
  const id = await make('queued')
  await database
    .transaction(async (tx) => {
      await cancelTask(tx, id)
      tx.rollback()
    })
    .catch(() => {})
  await drain()
  expect([runs, (await ledger())[0]?.state]).toEqual([1, 'done'])
})

test('one that is claimed while the cancel waits has started', async () => {
  const id = await make('queued')
  const session = await openSession(databaseUrl)
  await session.query('begin')
  await session.query("update runtime.tasks set state = 'running', started_at = now() where id = $1", [id])
  const cancel = database.transaction((tx) => cancelTask(tx, id))
  await lockWaits(databaseUrl)
  await session.query('commit')
  expect(await cancel).toBe('started')
})

test('one that is called back while the cancel holds it is not run', async () => {
  const id = await make('queued')
  const held = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const cancel = database.transaction(async (tx) => {
    await cancelTask(tx, id)
    held.resolve()
    await go.promise
  })
  await held.promise
  const response = service.callback({ name: work.name, id, dispatch: 1 })
  await lockWaits(databaseUrl)
  go.resolve()
  await cancel
  expect(await (await response).json()).toEqual({ outcome: 'ignored' })
  expect(runs).toBe(0)
})
