import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { sendSignal } from '#src/runtime/tasks/send-signal.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { openSession } from '#test/support/session.ts'
import { trial } from './trial.ts'

// A signal that more tasks wait for than one statement wakes.

const seen: unknown[] = []
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  signals: { paid: z.object({ amount: z.int() }) },
  run: async ({ waitFor }) => void seen.push(await waitFor('paid', { key: 'k1', timeout: '1d' })),
})
const sent: string[] = []
const service = await trial({
  tasks: [work],
  cloudTasks: {
    async create({ id }) {
      if (sent.length === 20) throw new Error('UNAVAILABLE') // enough: a test waits for no others
      sent.push(id)
    },
    has: async () => true,
  },
})
const { request, query, advance, tick, callback } = service
const send = (amount = 7) => request((tx) => sendSignal(tx, work, 'paid', { key: 'k1' }, { amount }))

beforeEach(async () => {
  await service.clear()
  sent.length = 0
  seen.length = 0
})

/** Tasks that wait for the signal, as `waitFor` leaves them. */
async function fill(count: number): Promise<void> {
  await query(`with waiting as (
      insert into runtime.tasks (id, name, payload, state, dispatch, due_at, touched_at, started_at, waits_for, waits_key)
      select ('019d0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'trial.work', '{}', 'queued', 2, until, until, at, 'paid', 'k1'
      from generate_series(1, ${count}) as n,
        lateral (select runtime.service_now() as at, runtime.service_now() + interval '1 d' as until) as x
      returning id, started_at, due_at
    )
    insert into runtime.steps (task_id, name, kind, started_at, until) select id, 'paid:k1', 'wait', started_at, due_at from waiting`)
  await query("insert into runtime.signals (task, name, key) values ('trial.work', 'paid', 'k1')")
  await query('analyze runtime.tasks, runtime.steps')
}

/** How many tasks wait, and how many of the waits have ended with what was sent. */
async function counts() {
  const [found] = await query(`select
    (select count(*)::int from runtime.tasks where state = 'queued' and dispatch = 2) as waiting,
    (select count(*)::int from runtime.steps where result = '{"payload": {"amount": 7}}' and finished_at is not null) as ended`)
  return found
}

const someLeft = async () =>
  String((await query('select id from runtime.tasks where waits_key is not null limit 1'))[0]?.id)
const touchedAt = async () =>
  (await query('select touched_at::text as at from runtime.signals')).map(({ at }) => at)

test('wakes 1,000 tasks at once, and the ticks wake 10,000 each, by 1,000 in a transaction', async () => {
  await fill(11_500)
  expect(await send()).toEqual({ accepted: true })
  expect(sent).toHaveLength(20) // as many as a request sends
  expect(await counts()).toEqual({ waiting: 10_500, ended: 1_000 })
  expect(await send(8)).toEqual({ accepted: false })

  expect(await tick()).toBe(200)
  expect(await counts()).toEqual({ waiting: 500, ended: 11_000 })
  expect(await tick()).toBe(200)
  expect(await counts()).toEqual({ waiting: 0, ended: 11_500 })
  const transactions = await query(
    'select count(*)::int as rows from runtime.tasks where dispatch = 3 group by xmin::text',
  )
  expect(Math.max(...transactions.map(({ rows }) => Number(rows)))).toBeLessThanOrEqual(1_000)
})

test('is found by a task that times out before its turn, and is kept until all are woken', async () => {
  await fill(11_002)
  await send()
  await advance('8d') // longer than signals are kept, and no tick has run
  const id = await someLeft()
  expect((await callback({ name: work.name, id, dispatch: 2 })).status).toBe(200)
  expect(seen).toEqual([{ amount: 7 }])

  await tick()
  expect(await touchedAt()).toEqual(['infinity'])
  expect(await counts()).toEqual({ waiting: 1, ended: 11_001 })
  await callback({ name: work.name, id: await someLeft(), dispatch: 2 })
  expect(seen).toEqual([{ amount: 7 }, { amount: 7 }])

  expect(await counts()).toEqual({ waiting: 0, ended: 11_002 })
  await tick()
  expect(await touchedAt()).not.toEqual(['infinity'])
  await advance('8d')
  await tick()
  expect(await touchedAt()).toEqual([])
})

test('wakes a task that somebody else had locked by the next tick, and the tick does not wait', async () => {
  await fill(1_002)
  await send()
  const session = await openSession(service.databaseUrl)
  await session.query('begin')
  await session.query(`select from runtime.tasks where id = '${await someLeft()}' for update`)
  await tick()
  expect(await counts()).toEqual({ waiting: 1, ended: 1_001 })
  await session.query('rollback')
  await tick()
  expect(await counts()).toEqual({ waiting: 0, ended: 1_002 })
})

test('of several signals, each has its turn in one tick', async () => {
  await fill(12_000)
  await send()
  await query(`update runtime.tasks set waits_key = 'k2' where id > '019d0000-0000-7000-8000-000000002e00'`) // the last 224
  await query(
    `update runtime.steps set name = 'paid:k2' where task_id > '019d0000-0000-7000-8000-000000002e00'`,
  )
  await query(`insert into runtime.signals (task, name, key, payload, arrived_at, touched_at)
    values ('trial.work', 'paid', 'k2', '{"amount": 7}', now(), 'infinity')`)
  await tick()
  expect(await query("select from runtime.tasks where waits_key = 'k2'")).toEqual([])
  expect(await counts()).toEqual({ waiting: 12_000 - 1_000 - 224 - 9_000, ended: 1_000 + 224 + 9_000 })
})
