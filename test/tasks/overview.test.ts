import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineSchedule } from '#src/runtime/tasks/schedule.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { expectJson, expectProblem, type Json } from '#test/support/expect.ts'
import { trial } from './trial.ts'

let shut = false
const run = async () => {
  if (shut) throw new Error('the warehouse is shut')
}
const payload = z.object({ part: z.string().optional() })
const work = defineTask({
  name: 'trial.work',
  payload,
  retry: { attempts: 2, backoff: { min: '1s', max: '1s' } },
  run,
})
const other = defineTask({ name: 'trial.other', payload, run })
const nightly = defineSchedule({
  ...{ name: 'trial.nightly', cron: '30 3 * * *', timeZone: 'UTC', task: other },
  payload: { part: 'all' },
})
const service = await trial({ tasks: [work, other], schedules: [nightly] })
const { request, drain, query, ledger } = service
const olga = await service.as('olga', ['runtime:admin'])

interface Summary extends Json {
  name: string
  known: boolean
  states: { state: string; count: number; more: boolean; oldestDueAt: string }[]
  lastHour: Finished
}
interface Finished {
  done: number
  dead: number
  failedAttempts: number
}
interface Overview {
  now: string
  tasks: Summary[]
  lastHour: Finished[]
  estimated: boolean
  schedules: Json[]
  links: Json
}

const read = async () => expectJson<Overview>(await olga('/runtime/tasks/overview'))
const summaryOf = async (name: string) => (await read()).tasks.find((summary) => summary.name === name)
const post = (path: string, headers: Record<string, string> = {}) => olga(path, { method: 'POST', headers })
const nothing = { done: 0, dead: 0, failedAttempts: 0 }
const actions = () =>
  service.lines.flatMap(({ operator, message }) => (operator ? [{ operator, message }] : []))

beforeEach(async () => {
  await service.clear()
  await query('delete from runtime.schedules')
  shut = false
})

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
    shut = true
    await request((tx) => enqueue(tx, work, {}))
    await drain({ until: '5s' })
    shut = false
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
    shut = true
    await request((tx) => enqueue(tx, work, {}))
    await drain()
    expect((await summaryOf('trial.work'))?.lastHour).toEqual(nothing)
    shut = false
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

describe('run a task now', () => {
  test('a waiting task runs at once, once, and its earlier delivery is stale', async () => {
    const { id } = await request((tx) => enqueue(tx, work, {}, { delay: '1h' }))
    const ran = await expectJson(await post(`/runtime/tasks/${id}/run`))
    expect(ran).toMatchObject({ id, state: 'pending', dispatch: 2 })
    await drain()
    expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1 }])
    await drain({ until: '2h' })
    expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1 }])
  })

  test.each(['running', 'done', 'dead', 'cancelled'])('a task that is %s is a 409', async (state) => {
    const { id } = await request((tx) => enqueue(tx, work, {}))
    await query('update runtime.tasks set state = $1', [state])
    await expectProblem(await post(`/runtime/tasks/${id}/run`), 409, 'RUNTIME_TASK_NOT_WAITING')
    expect(await ledger()).toMatchObject([{ state, dispatch: 1 }])
  })
})

describe('run a schedule now', () => {
  const path = '/runtime/schedules/trial.nightly/run'

  test('its task is enqueued with its payload and the operator as caller, and its slots stay', async () => {
    expect(await service.tick()).toBe(200)
    const { schedules } = await read()
    const task = await expectJson(await post(path))
    expect(task).toMatchObject({ name: 'trial.other', state: 'pending', subject: 'olga' })
    await drain()
    expect(await ledger()).toMatchObject([{ id: task.id, state: 'done', payload: { part: 'all' } }])
    expect((await read()).schedules).toEqual(schedules)
  })

  test('a second request with the same key enqueues nothing', async () => {
    const headers = { 'Idempotency-Key': 'click-1' }
    const [one, two] = [await post(path, headers), await post(path, headers)]
    expect(await expectJson(one)).toEqual(await expectJson(two))
    expect(await ledger()).toHaveLength(1)
  })

  test('a schedule that this revision does not have is a 404', async () => {
    await expectProblem(await post('/runtime/schedules/gone.nightly/run'), 404, 'RUNTIME_SCHEDULE_NOT_FOUND')
  })
})

test('the log says who has done what', async () => {
  const { id } = await request((tx) => enqueue(tx, work, {}, { delay: '1h' }))
  const task = { id, name: 'trial.work' }
  await expectJson(await post(`/runtime/tasks/${id}/run`))
  await expectJson(await post(`/runtime/tasks/${id}/cancel`))
  await query("update runtime.tasks set state = 'dead'")
  await expectJson(await post(`/runtime/tasks/${id}/redrive`))
  await query("update runtime.tasks set state = 'dead'")
  await expectJson(await post('/runtime/tasks/redrive?name=trial.work'))
  const { id: scheduled } = await expectJson(await post('/runtime/schedules/trial.nightly/run'))
  expect(actions()).toEqual([
    {
      operator: { subject: 'olga', action: 'run now', task },
      message: `olga: run now of trial.work: task ${id}`,
    },
    {
      operator: { subject: 'olga', action: 'cancel', task },
      message: `olga: cancel of trial.work: task ${id}`,
    },
    {
      operator: { subject: 'olga', action: 'redrive', task },
      message: `olga: redrive of trial.work: task ${id}`,
    },
    {
      operator: { subject: 'olga', action: 'redrive', tasks: { name: 'trial.work', count: 1 } },
      message: 'olga: redrive of 1 × trial.work',
    },
    {
      operator: {
        ...{ subject: 'olga', action: 'run now', schedule: 'trial.nightly' },
        task: { id: scheduled, name: 'trial.other' },
      },
      message: `olga: run now of the schedule trial.nightly: task ${scheduled}`,
    },
  ])
})

test('what was refused is not logged as done', async () => {
  const { id } = await request((tx) => enqueue(tx, work, {}))
  await drain()
  for (const action of ['redrive', 'cancel', 'run'])
    expect((await post(`/runtime/tasks/${id}/${action}`)).status).toBe(409)
  expect(actions()).toEqual([])
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
