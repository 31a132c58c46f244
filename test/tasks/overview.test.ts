import { describe, expect, test } from 'vitest'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { expectProblem } from '#test/support/expect.ts'
import { overviewTrial } from './overview-trial.ts'

const { service, work, other, warehouse, read } = await overviewTrial()
const { request, drain, query, ledger } = service

const summaryOf = async (name: string) => (await read()).tasks.find((summary) => summary.name === name)
const nothing = { done: 0, dead: 0, failedAttempts: 0 }

describe('the overview', () => {
  test('without tasks it has the names that this revision knows, and an hour of nothing', async () => {
    const { tasks, lastHour, links, now } = await read()
    expect(tasks).toEqual([
      { name: 'trial.other', known: true, maxAttempts: 8, states: [], lastHour: nothing },
      { name: 'trial.work', known: true, maxAttempts: 2, states: [], lastHour: nothing },
    ])
    expect(lastHour).toEqual(Array.from({ length: 60 }, () => nothing))
    expect(links).toEqual({})
    expect(Date.parse(now)).toBe(service.emulator.now())
  })

  test('it counts the tasks of each name and state, and says since when the oldest is due', async () => {
    await request((tx) => enqueue(tx, work, {}, { delay: '2h' }))
    await request((tx) => enqueue(tx, work, {}, { delay: '1h' }))
    await request((tx) => enqueue(tx, other, {}))
    await query(
      "insert into runtime.tasks (id, name, payload, due_at) values (gen_random_uuid(), 'gone.by', '{}', now())",
    )
    const { tasks, now } = await read()
    const inOneHour = new Date(Date.parse(now) + 3_600_000).toISOString()
    expect(tasks.map(({ name, known, states }) => ({ name, known, states }))).toEqual([
      { name: 'gone.by', known: false, states: [expect.objectContaining({ state: 'pending', count: 1 })] },
      {
        name: 'trial.other',
        known: true,
        states: [{ state: 'queued', count: 1, more: false, oldestDueAt: now }],
      },
      {
        name: 'trial.work',
        known: true,
        states: [{ state: 'queued', count: 2, more: false, oldestDueAt: inOneHour }],
      },
    ])
  })

  test('it stops counting at 10,000, with very many names at 1,000, and says so', async () => {
    const insert = (count: number) =>
      query(
        `insert into runtime.tasks (id, name, state, payload, due_at)
         select gen_random_uuid(), 'trial.work', 'dead', '{}', now() from generate_series(1, $1)`,
        [count],
      )
    await insert(10_000)
    expect((await summaryOf('trial.work'))?.states).toMatchObject([{ count: 10_000, more: false }])
    await insert(1)
    expect((await summaryOf('trial.work'))?.states).toMatchObject([{ count: 10_000, more: true }])
    await query(
      `insert into runtime.tasks (id, name, state, payload, due_at)
       select gen_random_uuid(), 'trial.name-' || n, 'dead', '{}', now() from generate_series(1, 40) as n`,
    )
    expect((await summaryOf('trial.work'))?.states).toMatchObject([{ count: 1_000, more: true }])
    expect((await summaryOf('trial.name-40'))?.states).toMatchObject([{ count: 1, more: false }])
  })

  test('it counts what the last hour has finished, by name and by minute', async () => {
    await request((tx) => enqueue(tx, work, {}))
    await drain()
    await service.advance('50m')
    warehouse.isShut = true
    await request((tx) => enqueue(tx, work, {}))
    await drain({ until: '5s' })
    warehouse.isShut = false
    await request((tx) => enqueue(tx, other, {}))
    await drain()
    const { tasks, lastHour, estimated } = await read()
    expect(estimated).toBe(false)
    expect(tasks.map(({ name, lastHour }) => [name, lastHour])).toEqual([
      ['trial.other', { done: 1, dead: 0, failedAttempts: 0 }],
      ['trial.work', { done: 1, dead: 1, failedAttempts: 2 }],
    ])
    expect(lastHour[9]).toEqual({ done: 1, dead: 0, failedAttempts: 0 })
    expect(lastHour[59]).toEqual({ done: 1, dead: 1, failedAttempts: 2 })
    await service.advance('10m')
    expect((await summaryOf('trial.work'))?.lastHour).toEqual({ done: 0, dead: 1, failedAttempts: 2 })
  })

  test('of a minute with very many tasks it reads some, and estimates the rest', async () => {
    const { now } = await read()
    await query(
      `insert into runtime.tasks (id, name, state, payload, due_at, attempts, finished_at)
       select gen_random_uuid(), case when n % 4 = 0 then 'trial.other' else 'trial.work' end, 'done', '{}', now(),
         1 + n % 2, $1::timestamptz - interval '10 min' - n * interval '20 ms' from generate_series(0, 2999) as n`,
      [now],
    )
    const { lastHour, estimated, tasks } = await read()
    expect(estimated).toBe(true)
    const [minute] = lastHour.slice(49, 50)
    expect(minute?.done).toBeGreaterThan(2_500)
    expect(minute?.done).toBeLessThan(3_300)
    expect((minute?.failedAttempts ?? 0) / (minute?.done ?? 1)).toBeCloseTo(0.5, 1)
    expect((tasks[0]?.lastHour.done ?? 0) / (minute?.done ?? 1)).toBeCloseTo(0.25, 1)
  })

  test('an attempt that failed before the task was done is a failed attempt', async () => {
    warehouse.isShut = true
    await request((tx) => enqueue(tx, work, {}))
    await drain()
    expect((await summaryOf('trial.work'))?.lastHour).toEqual(nothing)
    warehouse.isShut = false
    await drain({ until: '5s' })
    expect((await summaryOf('trial.work'))?.lastHour).toEqual({ done: 1, dead: 0, failedAttempts: 1 })
  })

  test('it lists the schedules, also those of other revisions', async () => {
    const { schedules: before } = await read()
    const declared = { name: 'trial.nightly', pattern: '30 3 * * * UTC', task: 'trial.other', declared: true }
    expect(before).toEqual([{ ...declared, nextSlot: expect.stringMatching(/T03:30:00.000Z$/) }])
    await query(
      "insert into runtime.schedules (name, pattern, last_slot) values ('gone.nightly', '0 4 * * * UTC', now())",
    )
    expect(await service.tick()).toBe(200)
    const { schedules } = await read()
    expect(schedules).toEqual([
      { name: 'gone.nightly', pattern: '0 4 * * * UTC', declared: false, lastSlot: expect.any(String) },
      { ...declared, lastSlot: expect.any(String), nextSlot: expect.stringMatching(/T03:30:00.000Z$/) },
    ])
  })
})

describe.each([
  ['GET', '/runtime/tasks/overview'],
  ['POST', '/runtime/tasks/01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f/run'],
  ['POST', '/runtime/schedules/trial.nightly/run'],
])('%s %s', (method, path) => {
  test('takes the scope runtime:admin', async () => {
    await expectProblem(await service.api(path, { method }), 401, 'TOKEN_MISSING')
    const alice = await service.as('alice', ['orders:write'])
    await expectProblem(await alice(path, { method }), 403, 'SCOPE_MISSING')
    expect(await ledger()).toEqual([])
  })
})
