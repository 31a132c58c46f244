import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { trial } from './trial.ts'

let shut = true
const runs: number[] = []
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  retry: { attempts: 2, backoff: { min: '1s' } },
  async run({ attempt }) {
    runs.push(attempt)
    if (shut) throw new Error('the warehouse is shut')
  },
})
const service = await trial({ tasks: [work] })
const { request, ledger, drain, query, databaseUrl, emulator, lines } = service
const olga = await service.as('olga', ['runtime:admin'])
const redrive = (id: string) => olga(`/runtime/tasks/${id}/redrive`, { method: 'POST' })
const cancel = (id: string) => olga(`/runtime/tasks/${id}/cancel`, { method: 'POST' })
const redriveAll = async (name = 'trial.work') =>
  expectJson(await olga(`/runtime/tasks/redrive?name=${name}`, { method: 'POST' }))

/** Enqueues a task, and sets its state. Returns its id. */
async function make(state: string, key?: string): Promise<string> {
  const { id } = await request((tx) => enqueue(tx, work, {}, key === undefined ? {} : { key }))
  await query(
    'update runtime.tasks set state = $1, attempts = 2, finished_at = runtime.service_now() where id = $2',
    [state, id],
  )
  return id
}

const states = async () => (await ledger()).map(({ state }) => state)

beforeEach(async () => {
  await service.clear()
  runs.length = 0
  shut = true
})

test('a dead task gets all its attempts again, at a new dispatch, at once', async () => {
  const { id } = await request((tx) => enqueue(tx, work, {}))
  await drain({ until: '1m' })
  expect(await ledger()).toMatchObject([{ state: 'dead', dispatch: 2, attempts: 2 }])
  expect(await expectJson(await redrive(id))).toMatchObject({
    id,
    state: 'pending',
    attempts: 0,
    dispatch: 3,
  })
  expect(emulator.pending()).toMatchObject([{ body: JSON.stringify({ id, dispatch: 3 }) }])
  shut = false
  await drain()
  expect(runs).toEqual([1, 2, 1])
  expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1, last_error: null }])
})

test('one that dies again is told of again', async () => {
  const { id } = await request((tx) => enqueue(tx, work, {}))
  await drain({ until: '1m' })
  await redrive(id)
  expect(await query('select announced_at from runtime.tasks')).toEqual([{ announced_at: null }])
  await drain({ until: '1m' })
  expect(runs).toEqual([1, 2, 1, 2])
  const dead = service.lines.filter(({ severity }) => severity === 'ERROR')
  expect(dead).toHaveLength(2)
  const rows = await query('select announced_at is not null as told, state from runtime.tasks')
  expect(rows).toEqual([{ told: true, state: 'dead' }])
})

test.each(['pending', 'queued', 'running', 'done', 'cancelled'])('one that is %s is a 409', async (state) => {
  const id = await make(state)
  const problem = await expectProblem(await redrive(id), 409, 'RUNTIME_TASK_NOT_DEAD')
  expect(problem.detail).toBe(`It is ${state}.`)
  expect(await states()).toEqual([state])
})

test('one whose key another task has by now is a 409', async () => {
  const dead = await make('dead', 'order 7')
  await make('queued', 'order 7')
  const problem = await expectProblem(await redrive(dead), 409, 'RUNTIME_TASK_KEY_TAKEN')
  expect(problem.detail).toContain('order 7')
  expect(await states()).toEqual(['dead', 'queued'])
})

test('also where the other takes it at the same moment', async () => {
  const dead = await make('dead', 'order 7')
  const rival = await make('dead', 'order 7')
  const session = await openSession(databaseUrl)
  await session.query('begin')
  await session.query("update runtime.tasks set state = 'pending' where id = $1", [rival])
  const response = redrive(dead)
  await lockWaits(databaseUrl)
  await session.query('commit')
  await expectProblem(await response, 409, 'RUNTIME_TASK_KEY_TAKEN')
  expect(await states()).toEqual(['dead', 'pending'])
})

test('two redrives at once are one', async () => {
  const id = await make('dead')
  const responses = await Promise.all([redrive(id), redrive(id), redrive(id)])
  expect(responses.map(({ status }) => status).toSorted()).toEqual([200, 409, 409])
  await Promise.all(responses.map((response) => response.text()))
  expect(await ledger()).toMatchObject([{ dispatch: 2 }])
})

describe('by name', () => {
  test('all dead tasks of it are redriven, and no others', async () => {
    await make('dead')
    await make('done')
    const foreign = await make('dead')
    await query("update runtime.tasks set name = 'trial.other' where id = $1", [foreign])
    await make('dead')
    await make('cancelled')
    expect(await redriveAll()).toEqual({ redriven: 2, more: false })
    expect(await states()).toEqual(['queued', 'done', 'dead', 'queued', 'cancelled'])
    expect(await redriveAll('trial.nothing')).toEqual({ redriven: 0, more: false })
  })

  test('of those that share a key the youngest is, and none whose key is taken', async () => {
    await make('dead', 'a')
    await make('dead', 'a')
    await make('dead', 'b')
    await make('queued', 'b')
    expect(await redriveAll()).toEqual({ redriven: 1, more: false })
    expect(await states()).toEqual(['dead', 'queued', 'dead', 'queued'])
  })

  test('one whose key is taken at the same moment does not stop the others', async () => {
    await make('dead', 'a')
    await make('dead')
    const session = await openSession(databaseUrl)
    await session.query('begin')
    await session.query(
      `insert into runtime.tasks (id, name, payload, key, due_at)
        values (gen_random_uuid(), 'trial.work', '{}', 'a', runtime.service_now())`,
    )
    const response = redriveAll()
    await lockWaits(databaseUrl)
    await session.query('commit')
    expect(await response).toMatchObject({ redriven: 1 })
  })

  test('a thousand at a time, the oldest first; 20 are sent at once, the rest is the tick’s', async () => {
    await query(
      `insert into runtime.tasks (id, name, state, payload, due_at, finished_at)
        select lpad(to_hex(n), 32, '0')::uuid, 'trial.work', 'dead', '{}', runtime.service_now(), runtime.service_now()
        from generate_series(1, 1005) as n`,
    )
    expect(await redriveAll()).toEqual({ redriven: 1000, more: true })
    const count = async () =>
      Object.fromEntries(
        (await query('select state, count(*)::int as count from runtime.tasks group by 1')).map(
          ({ state, count }) => [state, count],
        ),
      )
    expect(await count()).toEqual({ queued: 20, pending: 980, dead: 5 })
    expect((await ledger()).slice(-5).map(({ state }) => state)).toEqual(Array(5).fill('dead'))
    expect(await redriveAll()).toEqual({ redriven: 5, more: false })
    const late = () => lines.filter(({ message }) => `${message}`.startsWith('Cloud Tasks accepted')).length
    let before: number
    do {
      before = late()
      await service.advance('31s')
      await service.tick()
    } while (late() > before) // a slow machine does not take each call in time: the tick warns, and the next one goes on
    expect(await count()).toEqual({ queued: 1005 })
  })
})

describe('cancelling', () => {
  test.each(['pending', 'queued', 'running', 'dead'])(
    'one that is %s ends it: its delivery is stale',
    async (state) => {
      const id = await make(state)
      const task = await expectJson(await cancel(id))
      expect(task).toMatchObject({ id, state: 'cancelled', dispatch: 2, finishedAt: expect.any(String) })
      expect(await drain({ until: '2m' })).toMatchObject([{ status: 200 }])
      expect(runs).toEqual([])
      expect(await ledger()).toMatchObject([{ state: 'cancelled', lease: null }])
    },
  )

  test('again changes nothing', async () => {
    const id = await make('queued')
    const first = await expectJson(await cancel(id))
    expect(await expectJson(await cancel(id))).toEqual(first)
  })

  test('one that is done is a 409', async () => {
    const id = await make('done')
    await expectProblem(await cancel(id), 409, 'RUNTIME_TASK_OVER')
    expect(await states()).toEqual(['done'])
  })

  test('frees its key', async () => {
    await cancel(await make('queued', 'a'))
    await make('queued', 'a')
    expect(await states()).toEqual(['cancelled', 'queued'])
  })
})
