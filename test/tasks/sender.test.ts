import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { CloudTasks, NewCloudTask } from '#src/runtime/tasks/cloud-tasks.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { trial } from './trial.ts'

const payload = z.object({ index: z.int() })
const run = async () => {}
const work = defineTask({ name: 'trial.work', payload, deadline: '30s', run })
const long = defineTask({ name: 'trial.long', payload, deadline: '30m', run })

const created: NewCloudTask[] = []
let create: CloudTasks['create']
const service = await trial({
  tasks: [work, long],
  cloudTasks: {
    async create(task, signal) {
      created.push(task)
      await create(task, signal)
    },
    has: async () => true,
  },
})
const { request, ledger, lines, url } = service
/** Enqueues tasks in one request. Returns their ids. */
const put = (task = work, count = 1) =>
  request(async (tx) => {
    const ids: string[] = []
    for (let index = 0; index < count; index++) ids.push((await enqueue(tx, task, { index })).id)
    return ids
  })
const states = async () => (await ledger()).map(({ state }) => state)
const warnings = () => lines.filter(({ severity }) => severity === 'WARNING').map(({ message }) => message)

beforeEach(async () => {
  await service.clear()
  created.length = 0
  create = async () => {}
})
afterEach(() => void vi.useRealTimers())

test('a hand-over is named by hash, task and dispatch, and outlasts the attempt by a little', async () => {
  await put()
  const [row] = await ledger()
  expect(created).toEqual([
    {
      id: expect.stringMatching(new RegExp(`^[\\da-f]{8}-${row?.id}-1$`)),
      url: `${url}/runtime/callbacks/trial.work`,
      body: JSON.stringify({ id: row?.id, dispatch: 1 }),
      scheduleTime: undefined,
      deadlineMs: 45_000,
    },
  ])
})

test('but by no more than Cloud Tasks allows', async () => {
  await put(long)
  expect(created).toMatchObject([{ deadlineMs: 1_800_000 }])
})

test('20 are sent in the order in which they were enqueued, all at once', async () => {
  const all = Promise.withResolvers<void>()
  create = async () => {
    if (created.length === 20) all.resolve()
    await all.promise // with one after another, it would never resolve
  }
  const ids = await put(work, 25)
  expect(created.map(({ body }) => JSON.parse(body).id)).toEqual(ids.slice(0, 20))
})

test('what fails stays pending, costs the caller nothing, and is a warning', async () => {
  create = async ({ body }) => {
    const { payload } = (await ledger()).find(({ id }) => id === JSON.parse(body).id) ?? {}
    if (payload?.index !== 1) throw new Error('UNAVAILABLE')
  }
  await put(work, 3)
  const rows = (await ledger()).toSorted((a, b) => Number(a.payload.index) - Number(b.payload.index))
  expect(rows.map(({ state }) => state)).toEqual(['pending', 'queued', 'pending'])
  expect(warnings()).toEqual(['Cloud Tasks accepted 1 of 3 tasks; the tick sends the other 2'])
})

test('what was handed over but could not be marked is handed over again, under the same name', async () => {
  const mark = vi
    .spyOn(service.database.$client, 'query')
    .mockImplementationOnce(() => Promise.reject(new Error('gone')))
  await put()
  mark.mockRestore()
  expect(await states()).toEqual(['pending'])
  expect(warnings()).toEqual([expect.stringContaining('sent, but could not be marked as queued')])
  await service.advance('31s')
  await service.tick()
  expect(await states()).toEqual(['queued'])
  expect(created[1]?.id).toBe(created[0]?.id)
})

describe('while CreateTask hangs', () => {
  let hours = 0

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    vi.advanceTimersByTime(++hours * 3_600_000) // its clock begins at 0 each time, and what hung before is over
    create = async () => {}
    await put()
    await service.clear()
    created.length = 0
  })

  /** Starts a request whose hand-over hangs. */
  async function hang(count = 1): Promise<{ answer: Promise<unknown>; signal: AbortSignal }> {
    const called = Promise.withResolvers<AbortSignal>()
    create = (_task, signal) => {
      called.resolve(signal)
      return new Promise(() => {})
    }
    const response = put(work, count)
    return { answer: response, signal: await called.promise }
  }

  test('a request is answered after 2 s, its call is given up, and its task is the tick’s', async () => {
    const { answer: response, signal } = await hang(25)
    const answered = vi.fn()
    void response.then(answered)
    await vi.advanceTimersByTimeAsync(1999)
    expect([answered.mock.calls.length, signal.aborted]).toEqual([0, false])
    await vi.advanceTimersByTimeAsync(1)
    await response
    expect(signal.aborted).toBe(true)
    expect(new Set(await states())).toEqual(new Set(['pending']))
    expect(warnings()).toEqual(['Cloud Tasks accepted 0 of 20 tasks; the tick sends the other 20'])
  })

  test('after three in a row the next ones do not even try, for ten seconds; then one does', async () => {
    for (let count = 0; count < 3; count++) {
      const { answer: response } = await hang()
      await vi.advanceTimersByTimeAsync(2000)
      await response
    }
    expect(created).toHaveLength(3)
    created.length = 0
    await put()
    await vi.advanceTimersByTimeAsync(9999)
    await put()
    expect(created).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    create = async () => {}
    await put()
    expect(created).toHaveLength(1)
    expect((await states()).toSorted()).toEqual([...Array(5).fill('pending'), 'queued'])
  })

  test('one that fails at once holds nobody up: the next one tries', async () => {
    create = () => Promise.reject(new Error('UNAVAILABLE'))
    await put()
    await put()
    expect(created).toHaveLength(2)
  })
})
