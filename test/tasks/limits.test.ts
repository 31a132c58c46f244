import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Transaction } from '#src/runtime/database/database.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { enqueueMany } from '#src/runtime/tasks/enqueue-many.ts'
import { takePlace } from '#src/runtime/tasks/limits.ts'
import { takeUndelivered } from '#src/runtime/tasks/maintenance.ts'
import { runTaskNow } from '#src/runtime/tasks/operators.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { fatal } from '#src/runtime/tasks/task-errors.ts'
import { claim } from '#src/runtime/tasks/transitions.ts'
import { trial } from './trial.ts'

const payload = z.object({ customer: z.string(), n: z.int().default(0), ends: z.string().optional() })

/** How many tasks of a name and customer run now, and how many ran at once at most. */
const running = new Map<string, number>()
const most = new Map<string, number>()
const order: string[] = []

/** A task that counts itself while it runs, for as long as a few queries take. */
const counting = (name: string, limit: { concurrency?: number; ordered?: boolean }) =>
  defineTask({
    ...{ name: `trial.${name}`, payload },
    retry: { attempts: 3, backoff: { min: '1s', max: '1s' } },
    limit: { key: ({ customer }) => customer, ...limit },
    async run({ payload: { customer, n, ends }, attempt, database }) {
      const key = `${name} ${customer}`
      const now = (running.get(key) ?? 0) + 1
      running.set(key, now)
      most.set(key, Math.max(most.get(key) ?? 0, now))
      try {
        for (let i = 0; i < 3; i++) await database.execute('select 1')
        if (ends === 'dead') throw fatal('It was told to die')
        if (ends === 'retried' && attempt === 1) throw new Error('It was told to fail')
        order.push(`${customer} ${n}`)
      } finally {
        running.set(key, (running.get(key) ?? 0) - 1)
      }
    },
  })

const one = counting('one', {})
const three = counting('three', { concurrency: 3 })
const ordered = counting('ordered', { ordered: true })
const { limit: _limit, ...noLongerLimited } = counting('free', {})
const free = { ...noLongerLimited, limit: undefined }

const service = await trial({ tasks: [one, three, ordered, free] })
const { request, ledger, drain, database, query, emulator, tick } = service

beforeEach(async () => {
  for (const counts of [running, most]) counts.clear()
  order.length = 0
  await service.clear()
})

const of = (customer: string, count: number, more = {}) =>
  Array.from({ length: count }, (_, n) => ({ customer, n, ...more }))
const many = (task: typeof one, payloads: z.input<typeof payload>[]) => (tx: Transaction) =>
  enqueueMany(tx, task, payloads)

/** Each task's state, attempts and place. */
async function left(): Promise<string[]> {
  const rows = await query('select state, attempts, limit_slot from runtime.tasks order by id')
  return rows.map(({ state, attempts, limit_slot }) => `${state} ${attempts} ${limit_slot}`)
}

/** A task that another process runs. */
async function held(task: typeof one, customer = 'a'): Promise<string> {
  const { id } = await database.transaction((tx) => enqueue(tx, task, { customer, n: 100 }))
  const row = await claim(database, { id, name: task.name, dispatch: 1 })
  if (row) await takePlace(database, row, { name: task.name, key: customer, concurrency: 1, ordered: false })
  return id
}

const set = (columns: string, id: string) => query(`update runtime.tasks set ${columns} where id = $1`, [id])

describe('never more than the limit run at once', () => {
  test.each([
    { task: one, name: 'one', limit: 1 },
    { task: three, name: 'three', limit: 3 },
  ])('$limit of a key, and all run without a tick', async ({ task, name, limit }) => {
    await request(many(task, [...of('a', 18), ...of('b', 18), ...of('c', 1)]))
    const attempts = await drain()
    expect(attempts.filter(({ status }) => status !== 200)).toEqual([])
    await drain({ until: '5m' }) // what a slow machine has left to the tick
    expect(most.get(`${name} a`)).toBeLessThanOrEqual(limit)
    expect(most.get(`${name} b`)).toBeLessThanOrEqual(limit)
    expect(order).toHaveLength(37)
    expect((await ledger()).filter(({ state, attempts }) => state !== 'done' || attempts !== 1)).toEqual([])
  })

  test('of 30 claims at once as many get a place as there are', async () => {
    const group = { name: three.name, key: 'a', concurrency: 3, ordered: false }
    const { taskIds } = await database.transaction((tx) => enqueueMany(tx, three, of('a', 30)))
    const rows = await Promise.all(
      taskIds.map((id) => claim(database, { id, name: three.name, dispatch: 1 })),
    )
    const places = await Promise.all(rows.map((row) => row && takePlace(database, row, group)))
    expect(places.filter(Boolean)).toHaveLength(3)
  })

  test('also when an operator runs one now, and when a dead one is redriven', async () => {
    await held(one)
    const { id } = await request((tx) => enqueue(tx, one, { customer: 'a' }))
    await drain()
    expect(await left()).toEqual(['running 1 1', 'pending 0 -1'])
    await runTaskNow(database, id)
    await service.advance('31s')
    await query(
      "update runtime.tasks set leased_until = leased_until + interval '1 h' where state = 'running'",
    )
    await tick()
    await drain()
    expect(await left()).toEqual(['running 1 1', 'pending 0 -1'])
    await set("state = 'dead', limit_slot = 1", id)
    const operator = await service.as('operator', ['runtime:admin'])
    expect((await operator(`/runtime/tasks/${id}/redrive`, { method: 'POST' })).status).toBe(200)
    await drain()
    expect(await left()).toEqual(['running 1 1', 'pending 0 -1'])
    expect(order).toEqual([])
  })
})

describe('a task that was set aside', () => {
  test('is not sent, counts no attempt, and does not hold up others', async () => {
    await held(one)
    await request((tx) => enqueue(tx, one, { customer: 'a' }))
    await request((tx) => enqueue(tx, one, { customer: 'b' }))
    await drain()
    expect(await left()).toEqual(['running 1 1', 'pending 0 -1', 'done 1 1'])
    const [, aside] = await ledger()
    expect(aside).toMatchObject({ started_at: null, lease: null })
    await service.advance('20s')
    await service.advance('5s')
    expect(await takeUndelivered(database, 10)).toEqual([])
    expect(emulator.pending()).toEqual([])
  })

  test.each([
    ['dies', 'dead', ['dead 1 1', 'done 1 1']],
    ['is retried', 'retried', ['done 2 1', 'done 1 1']],
  ])('is woken when the one before it %s', async (_what, ends, expected) => {
    await request(many(one, [...of('a', 1, { ends }), ...of('a', 1)]))
    await drain({ until: '2s' })
    expect((await left()).toSorted()).toEqual(expected.toSorted())
  })

  test.each([
    ['whose lease has ended', "leased_until = runtime.service_now() - interval '1 s'"],
    ['that was cancelled', "state = 'cancelled', lease = null"],
    ['whose process was killed after its end', "state = 'done', lease = null"],
  ])('is woken by the tick, if its place was held by a task %s', async (_what, columns) => {
    const id = await held(one)
    await request((tx) => enqueue(tx, one, { customer: 'a' }))
    await drain()
    expect(await left()).toEqual(['running 1 1', 'pending 0 -1'])
    await set(columns, id)
    await tick()
    await drain()
    expect(order).toContain('a 0')
  })

  test('is woken by the tick, if its task no longer has a limit', async () => {
    const { id } = await request((tx) => enqueue(tx, free, { customer: 'a' }, { delay: '1s' }))
    await set("limit_key = 'a', limit_slot = -1, state = 'pending'", id)
    await service.advance('31s')
    await tick()
    await drain()
    expect(order).toEqual(['a 0'])
  })
})

describe('an ordered key', () => {
  test('runs its tasks in the order in which they were enqueued, retries and deaths included', async () => {
    await request(
      many(ordered, [...of('a', 5), ...of('a', 1, { ends: 'retried' }), ...of('b', 5), ...of('a', 6)]),
    )
    await request(many(ordered, [...of('b', 1, { ends: 'dead' }), ...of('b', 3)]))
    await drain({ until: '5m' })
    const ofCustomer = (name: string) =>
      order.filter((one) => one.startsWith(name)).map((one) => one.slice(2))
    expect(ofCustomer('a')).toEqual(['0', '1', '2', '3', '4', '0', '0', '1', '2', '3', '4', '5'])
    expect(ofCustomer('b')).toEqual(['0', '1', '2', '3', '4', '0', '1', '2'])
    expect(Math.max(...most.values())).toBe(1)
  })

  test('waits for its first task, also if that is due later', async () => {
    await request((tx) => enqueue(tx, ordered, { customer: 'a', n: 1 }, { delay: '1h' }))
    await service.advance('1s')
    await request((tx) => enqueue(tx, ordered, { customer: 'a', n: 2 }))
    await drain()
    expect(order).toEqual([])
    await drain({ until: '1h' })
    expect(order).toEqual(['a 1', 'a 2'])
  })
})

test.each<[object, string]>([
  [{ limit: { concurrency: 0 } }, 'limit.concurrency must be a whole number from 1 to 1000.'],
  [
    { limit: { concurrency: 2, ordered: true } },
    'limit.ordered needs limit.concurrency 1: several at once are in no order.',
  ],
  [{ rate: { tasks: 0.5, per: '1m' } }, 'rate.tasks must be a whole number from 1 to 1000.'],
  [{ rate: { tasks: 1, per: '500ms' } }, 'rate.per must be from 1s to 1d.'],
])('%j stops the start', (options, message) => {
  const define = () => defineTask({ name: 'trial.wrong', payload, async run() {}, ...options })
  expect(define).toThrow(`The task trial.wrong: ${message}`)
})

test('a key that is no text is refused where the task is enqueued', async () => {
  const wrong = defineTask({ name: 'trial.wrong', payload, limit: { key: () => 7 as never }, async run() {} })
  const enqueued = database.transaction((tx) => enqueue(tx, wrong, { customer: 'a' }))
  await expect(enqueued).rejects.toThrow('The task trial.wrong: the key of its limit or rate must be text')
})
