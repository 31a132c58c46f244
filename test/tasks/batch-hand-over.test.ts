import pg from 'pg'
import { beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { findBatch } from '#src/runtime/tasks/batches.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { enqueueMany } from '#src/runtime/tasks/enqueue-many.ts'
import { takeOfBatch } from '#src/runtime/tasks/hand-over.ts'
import { takeUndelivered } from '#src/runtime/tasks/maintenance.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { trial } from './trial.ts'

// The pending tasks of a batch: more than a request sends.

const child = defineTask({ name: 'trial.child', payload: z.object({ n: z.int() }), async run() {} })
const alone = defineTask({ name: 'trial.alone', payload: z.object({}), async run() {} })
const service = await trial({ tasks: [child, alone] })
const { request, ledger, drain, database, query, emulator } = service
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))

beforeEach(() => service.clear())

test('are sent by the callbacks of the first ones, without a tick', async () => {
  const { id } = await request((tx) => enqueueMany(tx, child, many(300)))
  expect(emulator.pending()).toHaveLength(20)
  const attempts = await emulator.settle()
  expect(attempts.filter(({ status }) => status !== 200)).toEqual([])
  expect(attempts.length).toBeGreaterThan(250) // all, unless the machine is so slow that some looks take too long
  await drain({ until: '2m' })
  expect(await findBatch(database, id)).toMatchObject({ size: 300, done: 300, finishedAt: expect.any(Date) })
})

test('are not taken twice, nor while their own request sends them', async () => {
  const { id } = await database.transaction((tx) => enqueueMany(tx, child, many(30)))
  const taken = await Promise.all([1, 2, 3, 4].map(() => takeOfBatch(database, id, 10)))
  expect(new Set(taken.flat().map(({ id }) => id)).size).toBe(30)
  expect(taken.flat()).toHaveLength(30)
  expect(await takeOfBatch(database, id, 10)).toEqual([])
  expect(await takeUndelivered(database, 10)).toEqual([])
  const sending = await request(async (tx) => {
    const { id } = await enqueueMany(tx, child, many(30))
    return { id, sends: (await query('select from runtime.tasks where touched_at > now()')).length }
  })
  expect(await takeOfBatch(database, sending.id, 100)).toHaveLength(10)
})

test('cost a task without a batch no statement, and each of the others one', async () => {
  const statements = vi.spyOn(pg.Client.prototype, 'query')
  async function countStatements(work: () => Promise<unknown>) {
    await work()
    await query("update runtime.tasks set state = 'queued'")
    const [row] = await ledger()
    statements.mockClear()
    await service.callback({ id: '', name: '', dispatch: 1, ...row })
    return statements.mock.calls.length
  }
  const plain = await countStatements(() => request((tx) => enqueue(tx, alone, {})))
  await service.clear()
  const inBatch = await countStatements(() => request((tx) => enqueueMany(tx, alone, [{}, {}])))
  statements.mockRestore()
  expect({ plain, inBatch }).toEqual({ plain: 2, inBatch: 3 }) // its claim and its end
})
