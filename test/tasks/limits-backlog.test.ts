import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { takeOfBatch } from '#src/runtime/tasks/hand-over.ts'
import { wakeTasks } from '#src/runtime/tasks/limits.ts'
import { takeUndelivered } from '#src/runtime/tasks/maintenance.ts'
import { defineTask, type Task } from '#src/runtime/tasks/task.ts'
import { warnOfBacklog } from '#src/runtime/tasks/tick-warnings.ts'
import { wakeForgotten } from '#src/runtime/tasks/wake-forgotten.ts'
import { rowsRead, statementsOf } from '#test/support/plans.ts'
import { trial } from './trial.ts'

// Many tasks that wait for a place, and what the tick and the end of a task cost then, in rows.

const payload = z.object({})
const run = async () => {}
const one = defineTask({ name: 'trial.one', payload, limit: {}, run })
const ordered = defineTask({ name: 'trial.ordered', payload, limit: { ordered: true }, run })
const free = defineTask({ name: 'trial.free', payload, run })
const sent: string[] = []
let send = async () => {}
const service = await trial({
  tasks: [one, ordered, free],
  cloudTasks: {
    async create({ id }) {
      await send()
      sent.push(id)
    },
    has: async () => true,
  },
})
const { database, databaseUrl, query, tick, log, ledger } = service
const batchId = '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f'

afterEach(async () => {
  await service.clear()
  sent.length = 0
  send = async () => {}
})

/** Tasks that are set aside, of keys `key 0`, `key 1` and so on; `runs`: one of each key runs. */
async function fill(name: string, { tasks = 0, keys = 1, runs = false }): Promise<void> {
  const columns =
    'id, name, payload, state, due_at, touched_at, limit_key, limit_slot, lease, leased_until, batch_id'
  const of = (rows: number) => `from generate_series(0, ${rows - 1}) as n,
    lateral (select runtime.service_now() - interval '1 h' as at, 'key ' || lpad((n % ${keys})::text, 5, '0') as key) as x`
  await query(`insert into runtime.tasks (${columns})
    select ('019d0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '${name}', '{}', 'pending', at, at, key, -1, null, null,
      '${batchId}' ${of(tasks)}`)
  if (runs)
    await query(`insert into runtime.tasks (${columns})
      select gen_random_uuid(), '${name}', '{}', 'running', at, at, key, 1, gen_random_uuid(), at + interval '1 d', null ${of(keys)}`)
  await query('analyze runtime.tasks')
}

const setAside = async () =>
  (await query('select count(*)::int as count from runtime.tasks where limit_slot = -1'))[0]?.count

describe('however many tasks of a key wait for their place', () => {
  const group = { name: one.name, key: 'key 00000', concurrency: 1, ordered: false }
  const known = (task: Task) => new Map([[task.name, task]])
  const hasTimeLeft = () => true

  test.each<[string, (tx: typeof database) => Promise<unknown>]>([
    ['the warning of what is late', (tx) => warnOfBacklog(tx, log)],
    ['the sweep of what is not sent', (tx) => takeUndelivered(tx, 200)],
    ['the end of a task', (tx) => wakeTasks(tx, group, 20)],
    ['the end of a task whose key has a place', (tx) => wakeTasks(tx, { ...group, concurrency: 2 }, 20)],
    ['the end of a task of an ordered key', (tx) => wakeTasks(tx, { ...group, ordered: true }, 20)],
    ['the end of a task of their batch', (tx) => takeOfBatch(tx, batchId, 10)],
    ['the look for forgotten keys', (tx) => wakeForgotten(tx, known(one), hasTimeLeft)],
  ])('%s reads a few rows', async (_what, work) => {
    await fill(one.name, { tasks: 3_000, runs: true })
    const statements = await statementsOf(database, work)
    const read = await Promise.all(statements.map((statement) => rowsRead(databaseUrl, statement)))
    expect(read.length).toBeGreaterThan(0)
    expect(Math.max(...read)).toBeLessThan(20)
  })
})

describe('with more keys than one tick looks at', () => {
  test.each([one, ordered])('each has its turn, and the limit of $name is kept', async ({ name }) => {
    await fill(name, { tasks: 11_000, keys: 11_000, runs: true })
    await query("delete from runtime.tasks where limit_key = 'key 10900' and state = 'running'")
    expect(await tick()).toBe(200)
    expect(sent).toEqual([])
    expect(await query('select name, key from runtime.positions')).toEqual([{ name, key: 'key 10000' }])
    expect(await tick()).toBe(200)
    expect(sent).toHaveLength(1)
    expect(await query('select limit_key from runtime.tasks where limit_slot = 0')).toEqual([
      { limit_key: 'key 10900' },
    ])
    expect(await query('select * from runtime.positions')).toEqual([])
    expect(await setAside()).toBe(10_999)
  })
})

describe('the tasks of a key that no longer has a limit', () => {
  test('are woken by a thousand at a time, and the keys after it have their turn in the same tick', async () => {
    await fill(free.name, { tasks: 2_500 })
    await service.request((tx) => enqueue(tx, one, {}))
    await query("update runtime.tasks set state = 'pending', limit_slot = -1 where name = 'trial.one'")
    send = () => Promise.reject(new Error('UNAVAILABLE'))
    expect(await tick()).toBe(200)
    const transactions = await query('select count(*)::int as rows from runtime.tasks group by xmin::text')
    expect(Math.max(...transactions.map(({ rows }) => Number(rows)))).toBeLessThanOrEqual(1_000)
    expect(await setAside()).toBe(0)
  })
})

describe('a task that is set aside, and whose name this revision does not know', () => {
  test('waits while another of its key runs', async () => {
    await fill('trial.gone', { tasks: 2, runs: true })
    await tick()
    expect(await setAside()).toBe(2)
  })

  test('is sent if none runs, one at a time, and is dead in the end', async () => {
    const brief = await trial({ tasks: [free], databaseUrl, environment: { TASKS_PATIENCE: '3m' } })
    await fill('trial.gone', { tasks: 2 })
    for (const left of [1, 0]) {
      expect(await brief.tick()).toBe(200)
      expect(await setAside()).toBe(left)
      await brief.drain({ until: '10m' })
    }
    expect(await ledger()).toMatchObject([{ state: 'dead' }, { state: 'dead' }])
  })
})
