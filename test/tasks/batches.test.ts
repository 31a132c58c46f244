import pg from 'pg'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { BatchCounts } from '#src/runtime/tasks/batch-counts.ts'
import { cancelBatch, cancelTasksOf, findBatch } from '#src/runtime/tasks/batches.ts'
import { cancelTask } from '#src/runtime/tasks/cancel.ts'
import { enqueueMany } from '#src/runtime/tasks/enqueue-many.ts'
import { pruneBatches } from '#src/runtime/tasks/maintenance.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { fatal } from '#src/runtime/tasks/task-errors.ts'
import { openSession } from '#test/support/session.ts'
import { trial } from './trial.ts'

const child = defineTask({
  name: 'trial.child',
  payload: z.object({ n: z.int(), ends: z.enum(['done', 'dead', 'retried']).optional() }),
  retry: { backoff: { min: '1s', max: '1s' } },
  async run({ payload: { ends }, attempt }) {
    if (ends === 'dead' && attempt === 1) throw fatal('It was told to die')
    if (ends === 'retried' && attempt === 1) throw new Error('It was told to fail')
  },
})
const alone = defineTask({ name: 'trial.alone', payload: z.object({}), async run() {} })
const report = defineTask({
  name: 'trial.report',
  payload: z.strictObject({ of: z.string(), batch: BatchCounts }),
  async run() {},
})

const service = await trial({ tasks: [child, alone, report] })
const { request, ledger, drain, database, query } = service
const operator = await service.as('operator', ['runtime:admin'])
const final = { finally: [report, { of: 'test' }] } as const
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))

beforeEach(() => service.clear())

const batchOf = (payloads: Parameters<typeof enqueueMany<typeof child.payload>>[2]) =>
  request((tx) => enqueueMany(tx, child, payloads, final))

/** Each report so far: its state, and what it was told. */
async function reports() {
  const rows = (await ledger()).filter(({ name }) => name === report.name)
  return rows.map(({ state, payload }) => ({ state, ...(payload as { batch: BatchCounts }).batch }))
}

/** Changes the state of tasks, as any revision may. */
const set = (state: string, ids: readonly string[]) =>
  query('update runtime.tasks set state = $1, finished_at = now() where id = any($2)', [state, ids])

describe('enqueueMany', () => {
  test('enqueues a task for each payload, in their order; what follows is enqueued when all have ended', async () => {
    const { id, taskIds } = await batchOf(many(50))
    const rows = await ledger()
    expect(rows.map(({ payload }) => payload)).toEqual(many(50))
    expect(rows.map((row) => row.id)).toEqual(taskIds)
    expect(await findBatch(database, id)).toMatchObject({ size: 50, done: 0, finishedAt: null })
    await drain({ until: '5m' })
    expect(await findBatch(database, id)).toMatchObject({ size: 50, done: 50, finishedAt: expect.any(Date) })
    expect(await reports()).toEqual([{ state: 'done', id, size: 50, done: 50, dead: 0, cancelled: 0 }])
  })

  test('takes 10,000 payloads, by no more statements than for one', async () => {
    const statements = vi.spyOn(pg.Client.prototype, 'query')
    await database.transaction((tx) => enqueueMany(tx, alone, [{}], {}))
    const forOne = statements.mock.calls.length
    await database.transaction((tx) => enqueueMany(tx, alone, Array(10_000).fill({}), {}))
    expect(statements.mock.calls.length - forOne).toBe(forOne)
    statements.mockRestore()
    expect(await query('select count(*)::int from runtime.tasks')).toEqual([{ count: 10_001 }])
    const tooMany = database.transaction((tx) => enqueueMany(tx, alone, Array(10_001).fill({})))
    await expect(tooMany).rejects.toThrow(
      'The task trial.alone: enqueueMany takes 10000 payloads at most, and got 10001. Enqueue several batches.',
    )
  })

  test('of no payloads: what follows runs at once', async () => {
    const { id, taskIds } = await batchOf([])
    expect(taskIds).toEqual([])
    await drain({ until: '5m' })
    expect(await reports()).toEqual([{ state: 'done', id, size: 0, done: 0, dead: 0, cancelled: 0 }])
    expect(await findBatch(database, id)).toMatchObject({ finishedAt: expect.any(Date) })
  })

  test('refuses payloads that the task does not take, by their index, and enqueues nothing', async () => {
    const wrong = [{ n: 1 }, { n: 'two' as never }, { n: 3 }, {} as never]
    const refused = database.transaction((tx) => enqueueMany(tx, child, wrong, final))
    await expect(refused).rejects.toMatchObject({ issues: [{ path: [1, 'n'] }, { path: [3, 'n'] }] })
    const late = database.transaction((tx) => enqueueMany(tx, child, many(1), { delay: '-1s' as never }))
    await expect(late).rejects.toThrow('The task trial.child: its delay')
    const follower = database.transaction((tx) =>
      enqueueMany(tx, child, many(1), { finally: [report, { of: 7 as never }] }),
    )
    await expect(follower).rejects.toMatchObject({ issues: [{ path: ['of'] }] })
    const unable = database.transaction((tx) =>
      enqueueMany(tx, child, many(1), { finally: [child, { n: 'x' as never }] }),
    )
    await expect(unable).rejects.toMatchObject({ issues: [{ path: ['n'] }] })
    expect(await ledger()).toEqual([])
    expect(await query('select from runtime.batches')).toEqual([])
  })

  test('belongs to its transaction, and keeps who asked for it', async () => {
    const rolledBack = database.transaction(async (tx) => {
      await enqueueMany(tx, child, many(3), final)
      tx.rollback()
    })
    await expect(rolledBack).rejects.toThrow()
    expect(await ledger()).toEqual([])
    await request((tx) => enqueueMany(tx, child, many(1), final), { 'X-Request-Id': 'request-7' })
    await drain({ until: '5m' })
    expect(await query('select name, request_id from runtime.tasks order by name')).toEqual([
      { name: 'trial.child', request_id: 'request-7' },
      { name: 'trial.report', request_id: 'request-7' },
    ])
  })

  test('may be due later', async () => {
    await request((tx) => enqueueMany(tx, child, many(30), { delay: '1h', ...final }))
    await drain()
    expect(await reports()).toEqual([])
    await drain({ until: '1h' })
    expect(await reports()).toMatchObject([{ state: 'done', done: 30 }])
  })
})

describe('a batch ends', () => {
  test('whatever becomes of its tasks: done, retried, dead, cancelled', async () => {
    const { id, taskIds } = await batchOf([
      { n: 1 },
      { n: 2, ends: 'dead' },
      { n: 3, ends: 'retried' },
      { n: 4 },
    ])
    await request((tx) => cancelTask(tx, taskIds[3] ?? ''))
    await drain({ until: '5s' })
    expect(await reports()).toEqual([{ state: 'done', id, size: 4, done: 2, dead: 1, cancelled: 1 }])
  })

  test('once, if its last tasks end in transactions that do not see each other', async () => {
    const { taskIds } = await batchOf(many(64))
    const sessions = await Promise.all(taskIds.slice(0, 8).map(() => openSession(service.databaseUrl)))
    await set('done', taskIds.slice(8))
    for (const [index, session] of sessions.entries()) {
      await session.query('begin')
      await session.query(`update runtime.tasks set state = 'done' where id = '${taskIds[index]}'`)
    }
    expect(await reports()).toEqual([])
    await Promise.all(sessions.map((session) => session.query('commit')))
    expect(await reports()).toMatchObject([{ done: 64 }])
  })

  test('and the task that follows is sent by the request that cancels the last one', async () => {
    const first = await batchOf(many(1))
    await request((tx) => cancelTask(tx, first.taskIds[0] ?? ''))
    expect(await reports()).toMatchObject([{ state: 'queued', cancelled: 1 }])
    const { taskIds } = await batchOf(many(1))
    const response = await operator(`/runtime/tasks/${taskIds[0]}/cancel`, { method: 'POST' })
    expect(response.status).toBe(200)
    expect(await reports()).toMatchObject([{ state: 'queued' }, { state: 'queued', cancelled: 1 }])
  })

  test('and is deleted with its counters, after its time', async () => {
    await batchOf(many(2))
    await batchOf([])
    expect(await pruneBatches(database, 60_000, 10)).toBe(0)
    await service.advance('2m')
    expect(await pruneBatches(database, 60_000, 10)).toBe(1)
    await drain()
    await service.advance('2m')
    expect(await pruneBatches(database, 60_000, 10)).toBe(1)
    expect(await query('select from runtime.batch_counts')).toEqual([])
  })
})

describe('a dead task that is redriven', () => {
  const redrive = (id = '') => operator(`/runtime/tasks/${id}/redrive`, { method: 'POST' })

  test('is open again if its batch is', async () => {
    const { id, taskIds } = await batchOf([{ n: 1 }, { n: 2 }])
    await set('dead', taskIds.slice(0, 1))
    expect(await findBatch(database, id)).toMatchObject({ done: 0, dead: 1 })
    expect((await redrive(taskIds[0])).status).toBe(200)
    expect(await findBatch(database, id)).toMatchObject({ done: 0, dead: 0 })
    await set('done', taskIds.slice(1))
    expect(await reports()).toEqual([])
    await drain()
    expect(await reports()).toMatchObject([{ state: 'done', done: 2, dead: 0 }])
  })

  test('changes nothing if its batch has ended', async () => {
    const { id, taskIds } = await batchOf([{ n: 1, ends: 'dead' }, { n: 2 }])
    await drain()
    const ended = await findBatch(database, id)
    expect(ended).toMatchObject({ done: 1, dead: 1, finishedAt: expect.any(Date) })
    await redrive(taskIds[0])
    await set('done', taskIds)
    expect(await findBatch(database, id)).toEqual(ended)
    expect(await reports()).toHaveLength(1)
  })
})

describe('cancelBatch', () => {
  test('cancels the tasks that have not started; the others end, and so does the batch', async () => {
    const { id, taskIds } = await batchOf(many(40))
    await query("update runtime.tasks set state = 'running', started_at = now() where id = any($1)", [
      taskIds.slice(0, 2),
    ])
    expect(await request((tx) => cancelBatch(tx, id))).toBe(38)
    expect(await findBatch(database, id)).toMatchObject({
      cancelled: 38,
      cancelledAt: expect.any(Date),
      finishedAt: null,
    })
    await set('done', taskIds.slice(0, 2))
    expect(await reports()).toMatchObject([{ done: 2, cancelled: 38 }])
    expect(await request((tx) => cancelBatch(tx, id))).toBe(0)
  })

  test('sends what follows, if all are cancelled; a batch that is not there is no error', async () => {
    const { id } = await batchOf(many(3))
    expect(await request((tx) => cancelBatch(tx, id))).toBe(3)
    expect(await reports()).toMatchObject([{ state: 'queued', cancelled: 3 }])
    expect(await request((tx) => cancelBatch(tx, crypto.randomUUID()))).toBe(0)
  })

  test('and ends of its tasks at the same time do not deadlock', async () => {
    for (let round = 0; round < 5; round++) {
      const { taskIds, id } = await batchOf(many(24))
      await Promise.all([
        ...taskIds.slice(0, 12).map((id) => set('done', [id])),
        database.transaction((tx) => cancelTasksOf(tx, id, { started: true, limit: 8 })),
        database.transaction((tx) => cancelTasksOf(tx, id, { started: true })),
        ...taskIds.slice(12).map((id) => database.transaction((tx) => cancelTask(tx, id))),
      ])
      const found = await findBatch(database, id)
      expect((found?.done ?? 0) + (found?.cancelled ?? 0), 'those that have ended').toBeGreaterThanOrEqual(24)
      expect(found?.finishedAt).not.toBeNull()
    }
    expect(await reports()).toHaveLength(5)
  })
})
