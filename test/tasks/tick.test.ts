import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { client } from '#test/support/client.ts'
import { expectJson } from '#test/support/expect.ts'
import { bearer } from '#test/support/forge.ts'
import { testTasks } from '#test/support/task-variables.ts'
import { type Trial, trial } from './trial.ts'

let runs = 0
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  retry: { attempts: 2 },
  async run() {
    runs++
  },
})
const service = await trial({ tasks: [work] })
const { ledger, drain, emulator, query, request } = service
const put = () => request((tx) => enqueue(tx, work, {}))

/** Ticks as Cloud Scheduler does, with a body and a type of one's own. Returns what it did. */
async function tick(
  { app, url }: Trial = service,
  headers = {},
  body?: string,
): Promise<Record<string, unknown>> {
  const token = await emulator.oidc.sign({ aud: url, email: testTasks.TASKS_INVOKER })
  const sent = { method: 'POST', headers: { ...bearer(token), ...headers }, ...(body && { body }) }
  return expectJson(await client(app)('/runtime/tick', sent))
}

const queue = (verb: string) =>
  fetch(`${emulator.url}/v2/${testTasks.TASKS_QUEUE}:${verb}`, { method: 'POST' })
const nothing = {
  ...{ scheduled: 0, rescued: 0, freed: 0, signalled: 0 },
  ...{ announced: 0, pruned: 0, lost: 0, sent: 0 },
}

beforeEach(async () => {
  await queue('resume')
  emulator.faults.set({})
  await service.clear()
  await query('delete from runtime.idempotency_keys')
  runs = 0
})

test.each([
  ['no type and no body', {}, undefined],
  ['a type and no body', { 'Content-Type': 'application/octet-stream' }, undefined],
  ['octets', { 'Content-Type': 'application/octet-stream' }, '\0\x01'],
  ['JSON', { 'Content-Type': 'application/json' }, '{"of":"Cloud Scheduler"}'],
  ['what is called JSON', { 'Content-Type': 'application/json' }, '{'],
])('it takes %s', async (_what, headers, body) => {
  expect(await tick(service, headers, body)).toEqual(nothing)
})

test('it sends what nobody handed over, but not the newest 30 s', async () => {
  await service.database.transaction((tx) => enqueue(tx, work, {}))
  await service.advance('30s')
  expect(await tick()).toEqual(nothing)
  await service.advance('1s')
  expect(await tick()).toEqual({ ...nothing, sent: 1 })
  expect(await tick()).toEqual(nothing)
  await drain()
  expect(runs).toBe(1)
})

test('it takes back what a killed process held, 30 s after its last sign of life, whatever the deadline', async () => {
  await put()
  await query(
    `update runtime.tasks set state = 'running', attempts = 1, lease = gen_random_uuid(),
      leased_until = runtime.service_now() + interval '30 s'`,
  )
  await service.advance('30s')
  expect(await tick()).toEqual(nothing)
  await service.advance('1s')
  expect(await tick()).toEqual({ ...nothing, rescued: 1, sent: 1 })
  expect(await ledger()).toMatchObject([{ state: 'queued', dispatch: 2, lease: null, attempts: 1 }])
  await drain()
  expect(await ledger()).toMatchObject([{ state: 'done', attempts: 2 }])
})

describe('a delivery that is ten minutes overdue is looked up:', () => {
  test('one that Cloud Tasks lost is sent again', async () => {
    emulator.faults.set({ drop: { times: 1 } })
    await put()
    expect(await ledger()).toMatchObject([{ state: 'queued' }])
    await service.advance('10m')
    expect(await tick()).toEqual(nothing)
    await service.advance('1m')
    expect(await tick()).toEqual({ ...nothing, lost: 1, sent: 1 })
    await drain()
    expect(await ledger()).toMatchObject([{ state: 'done', dispatch: 2 }])
    expect(runs).toBe(1)
  })

  test('one in a queue that is paused for a day is not, and runs once when it is resumed', async () => {
    await queue('pause')
    await put()
    for (let hour = 0; hour < 24; hour++) {
      await service.advance('1h')
      expect(await tick()).toEqual(nothing)
    }
    expect(emulator.pending()).toHaveLength(1)
    expect(await ledger()).toMatchObject([{ state: 'queued', dispatch: 1 }])
    await queue('resume')
    await drain()
    expect([runs, (await ledger())[0]?.state]).toEqual([1, 'done'])
  })

  test('one that is due later is not', async () => {
    emulator.faults.set({ drop: { times: 1 } })
    await request((tx) => enqueue(tx, work, {}, { delay: '2h' }))
    await service.advance('2h')
    expect(await tick()).toEqual(nothing)
    await service.advance('11m')
    expect(await tick()).toEqual({ ...nothing, lost: 1, sent: 1 })
  })
})

describe('it deletes', () => {
  test('what is done or cancelled after TASKS_KEEP, a week if absent; never what is dead or unfinished', async () => {
    for (const state of ['done', 'cancelled', 'dead', 'queued', 'pending']) {
      const { id } = await put()
      const end = state === 'queued' || state === 'pending' ? null : new Date(emulator.now())
      await query(
        'update runtime.tasks set state = $1, finished_at = $2, announced_at = now() where id = $3',
        [state, end, id],
      )
    }
    await query("update runtime.tasks set due_at = due_at + interval '60 d'")
    await service.advance('7d')
    expect(await tick()).toEqual(nothing)
    await service.advance('1s')
    expect(await tick()).toEqual({ ...nothing, pruned: 2 })
    expect((await ledger()).map(({ state }) => state)).toEqual(['dead', 'queued', 'pending'])
  })

  test('as TASKS_KEEP says', async () => {
    const brief = await trial({ tasks: [work], environment: { TASKS_KEEP: '60' } })
    await brief.request((tx) => enqueue(tx, work, {}))
    await brief.drain()
    await brief.advance('59s')
    await brief.tick()
    expect(await brief.ledger()).toHaveLength(1)
    await brief.advance('2s')
    await brief.tick()
    expect(await brief.ledger()).toEqual([])
  })

  test('thousands, in batches that hold up nobody', async () => {
    await query(
      `insert into runtime.tasks (id, name, state, payload, due_at, finished_at)
        select gen_random_uuid(), 'trial.work', 'done', '{}', runtime.service_now(), runtime.service_now() - interval '8 d'
        from generate_series(1, 2500)`,
    )
    const deletes = await countOf('delete from "runtime"."tasks"', () => tick())
    expect(deletes).toBeGreaterThanOrEqual(3)
    expect(await ledger()).toEqual([])
  })

  test('idempotency keys after 24 hours', async () => {
    await query(
      `insert into runtime.idempotency_keys (caller, key, fingerprint, status, headers, body, created_at)
        select 'alice', n::text, '', 201, '[]', '', runtime.service_now() - interval '24 h' - n * interval '1 s'
        from generate_series(-1, 1) as n`,
    )
    expect(await tick()).toEqual({ ...nothing, pruned: 1 })
    expect(await query('select key from runtime.idempotency_keys order by 1')).toEqual([
      { key: '-1' },
      { key: '0' },
    ])
  })
})

/** How often queries like this one are sent meanwhile. */
async function countOf(beginning: string, work: () => Promise<unknown>): Promise<number> {
  let count = 0
  const { $client: pool } = service.database
  const { query: ask } = pool
  pool.query = ((...words: [{ text?: string }]) => {
    if (words[0].text?.startsWith(beginning)) count++
    return (ask as (...words: unknown[]) => unknown).apply(pool, words)
  }) as typeof ask
  await work()
  pool.query = ask
  return count
}
