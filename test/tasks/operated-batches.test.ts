import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { BatchCounts } from '#src/runtime/tasks/batch-counts.ts'
import { cancelBatch } from '#src/runtime/tasks/batches.ts'
import { enqueueMany } from '#src/runtime/tasks/enqueue-many.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { expectJson, expectProblem, type Json } from '#test/support/expect.ts'
import { as } from '#test/support/tokens.ts'
import { trial } from './trial.ts'

// Batches as operators see them, by HTTP.

const child = defineTask({ name: 'trial.child', payload: z.object({ n: z.int() }), async run() {} })
const report = defineTask({
  name: 'trial.report',
  payload: z.object({ secret: z.string(), batch: BatchCounts }),
  async run() {},
})
const service = await trial({ tasks: [child, report] })
const { request, drain, database, query, lines } = service
const olga = await service.as('olga', ['runtime:admin'])
const alice = await as('alice')

beforeEach(() => service.clear())

type Page = { items: Json[]; nextCursor?: string }
const batchOf = (count: number) => {
  const payloads = Array.from({ length: count }, (_, n) => ({ n }))
  return request((tx) => enqueueMany(tx, child, payloads, { finally: [report, { secret: 'hush' }] }), alice)
}
const show = async (id: string) => expectJson(await olga(`/runtime/batches/${id}`))
const list = async (query = '') => expectJson<Page>(await olga(`/runtime/batches${query}`))
const idsOf = (page: Page) => page.items.map(({ id }) => id)
const cancel = (id: string) => olga(`/runtime/batches/${id}/cancel`, { method: 'POST' })
const nobody = crypto.randomUUID()

/** Changes the state of those of these tasks that have not ended, as any revision may. */
const set = (state: string, ids: readonly string[]) =>
  query(
    `update runtime.tasks set state = $1, started_at = now() where id = any($2) and state in ('pending', 'queued', 'running')`,
    [state, ids],
  )

test('a batch shows how far it is, who enqueued it and its final task, but no payload', async () => {
  const { id, taskIds } = await batchOf(10)
  await set('done', taskIds.slice(0, 3))
  await set('dead', taskIds.slice(3, 4))
  await set('running', taskIds.slice(4, 6))
  const counts = { size: 10, done: 3, dead: 1, cancelled: 0 }
  expect(await show(id)).toEqual({
    ...{ id, name: 'trial.child', ...counts, running: 2, waiting: 4 },
    createdAt: expect.stringMatching(/Z$/),
    finally: { name: 'trial.report' },
    ...{ subject: 'alice', requestId: expect.any(String), traceId: expect.any(String) },
    revision: expect.any(String),
  })
  await set('done', taskIds)
  const ended = { done: 9, running: 0, waiting: 0, finishedAt: expect.stringMatching(/Z$/) }
  const [final] = await query("select id, state from runtime.tasks where name = 'trial.report'")
  expect(await show(id)).toMatchObject({ ...ended, finally: { name: 'trial.report', ...final } })
  await query("delete from runtime.tasks where name = 'trial.report'")
  expect((await show(id)).finally).toEqual({ name: 'trial.report', id: final?.id })
})

test('the list has the open ones first, the newest first; then the others, the last to end first; in pages', async () => {
  const ended: string[] = []
  for (let n = 0; n < 3; n++) {
    await service.advance('1s')
    ended.push((await batchOf(1)).id)
    await drain()
  }
  const open = [(await batchOf(2)).id, (await batchOf(2)).id]
  const expected = [...open.toReversed(), ...ended.toReversed()]
  const all = await list()
  expect(idsOf(all)).toEqual(expected)
  expect(all.nextCursor).toBeUndefined()
  expect(JSON.stringify(all)).not.toMatch(/payload|secret|hush/)
  const found: unknown[] = []
  let cursor = ''
  do {
    const page = await list(`?limit=1${cursor && `&cursor=${cursor}`}`)
    found.push(...idsOf(page))
    cursor = page.nextCursor ?? ''
  } while (cursor)
  expect(found).toEqual(expected)
  await expectProblem(await olga('/runtime/batches?cursor=wrong'), 400, 'VALIDATION_FAILED')
})

test('a batch lists its tasks, and each task names its batch', async () => {
  const { id, taskIds } = await batchOf(5)
  await batchOf(2)
  await set('done', taskIds.slice(0, 2))
  const tasks = async (query: string) => expectJson<Page>(await olga(`/runtime/tasks?batch=${id}${query}`))
  expect(idsOf(await tasks(''))).toEqual(taskIds.toReversed())
  expect(idsOf(await tasks('&state=done'))).toEqual(taskIds.slice(0, 2).toReversed())
  expect(idsOf(await tasks('&name=trial.child'))).toHaveLength(5)
  expect(idsOf(await tasks('&name=trial.report'))).toEqual([])
  const page = await tasks('&limit=3')
  expect(idsOf(page)).toEqual(taskIds.slice(2).toReversed())
  expect(page.items[0]).toMatchObject({ batchId: id })
  expect(idsOf(await tasks(`&cursor=${page.nextCursor}`))).toEqual(taskIds.slice(0, 2).toReversed())
  const task = await expectJson(await olga(`/runtime/tasks/${taskIds[0]}`))
  expect(task).toMatchObject({ batchId: id, batch: { id, size: 5, done: 2, dead: 0, cancelled: 0 } })
  await query('delete from runtime.batches where id = $1', [id])
  const left = await expectJson(await olga(`/runtime/tasks/${taskIds[0]}`))
  expect(left).toMatchObject({ batchId: id })
  expect(left).not.toHaveProperty('batch')
  expect(idsOf(await expectJson<Page>(await olga(`/runtime/tasks?batch=${nobody}`)))).toEqual([])
})

describe('a cancel by hand', () => {
  test('cancels the tasks that have not started, and is logged with who did it', async () => {
    const { id, taskIds } = await batchOf(30)
    await set('running', taskIds.slice(0, 2))
    const response = await cancel(id)
    expect(await expectJson(response)).toMatchObject({
      ...{ cancelled: 28, running: 2, waiting: 0, cancelledAt: expect.stringMatching(/Z$/) },
    })
    expect(lines).toContainEqual(
      expect.objectContaining({
        message: `olga: cancel of 28 × trial.child: batch ${id}`,
        operator: {
          ...{ subject: 'olga', action: 'cancel' },
          batch: { id, name: 'trial.child', count: 28 },
        },
      }),
    )
    expect((await cancel(id)).status).toBe(200)
    await set('done', taskIds.slice(0, 2))
    expect(await show(id)).toMatchObject({ done: 2, cancelled: 28, finishedAt: expect.any(String) })
    await expectProblem(await cancel(id), 409, 'RUNTIME_BATCH_OVER')
  })

  test('of none is a 404, and needs the scope', async () => {
    await expectProblem(await cancel(nobody), 404, 'RUNTIME_BATCH_NOT_FOUND')
    await expectProblem(await olga(`/runtime/batches/${nobody}`), 404, 'RUNTIME_BATCH_NOT_FOUND')
    const { id } = await batchOf(1)
    const api = await service.as('alice', [])
    for (const path of ['', `/${id}`]) expect((await api(`/runtime/batches${path}`)).status).toBe(403)
    expect((await api(`/runtime/batches/${id}/cancel`, { method: 'POST' })).status).toBe(403)
  })

  test('and the ends of its tasks at the same time count each task once, and do not deadlock', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, taskIds } = await batchOf(60)
      const cancelled = database.transaction((tx) => cancelBatch(tx, id))
      await Promise.all([...taskIds.slice(0, 30).map((id) => set('done', [id])), cancelled])
      const [states] = await query(
        `select count(*) filter (where state = 'done')::int as done, count(*) filter (where state = 'cancelled')::int as cancelled
         from runtime.tasks where batch_id = $1`,
        [id],
      )
      expect(await show(id)).toMatchObject({ ...states, cancelled: await cancelled, dead: 0, waiting: 0 })
      expect(await show(id)).toMatchObject({ finishedAt: expect.any(String) })
    }
    expect(await query("select from runtime.tasks where name = 'trial.report'")).toHaveLength(5)
  })
})
