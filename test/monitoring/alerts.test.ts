import { expect, inject, test } from 'vitest'
import { client } from '#test/support/client.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { isRaised, measure } from '#test/support/monitoring/evaluate.ts'
import { fill, readMetrics, readPolicies } from '#test/support/monitoring/files.ts'
import { type LogEntry, systemEntry, toLogEntry } from '#test/support/monitoring/log-entry.ts'
import { parseFilter } from '#test/support/monitoring/logging-query.ts'
import { noteScopes } from '#test/support/notes.ts'
import { spawnBundle, startNotes } from '#test/support/process.ts'
import { openSession } from '#test/support/session.ts'
import { stepProcess } from '#test/support/step-process.ts'
import { as } from '#test/support/tokens.ts'

const metrics = readMetrics()
const policies = readPolicies()
const minuteMs = 60_000

/** The alerts that somebody gets now, or after some minutes without a line. */
function raised(entries: readonly LogEntry[], { minutes = 0, zeros = false } = {}): string[] {
  const nowMs = Date.now() + minutes * minuteMs
  const names = [...policies.keys()]
  return names.filter((name) => isRaised(policies.get(name) as never, { metrics, entries, nowMs, zeros }))
}

/** A test of these alerts. A fork may have deleted the file of one. */
const testOf = (...names: string[]) => test.runIf(names.every((name) => policies.has(name)))

/** A service of notes, and requests to it. `entries()` is what it has written so far. */
async function notesService() {
  const databaseUrl = await makeDatabase()
  const service = await startNotes({ DATABASE_URL: databaseUrl, DATABASE_POOL: '30' })
  const api = client(service.url, await as('alice', noteScopes))
  const ask = async () => {
    const response = await api('/notes')
    await response.text()
    return response.status
  }
  /** One after another: many at once would be slow on a busy machine. */
  const list = async (times: number) => {
    const statuses: number[] = []
    while (statuses.length < times) statuses.push(await ask())
    return statuses
  }
  const listAtOnce = (times: number) => Promise.all(Array.from({ length: times }, ask))
  return { ...service, databaseUrl, api, list, listAtOnce, entries: () => service.lines.map(toLogEntry) }
}

/** A service of tasks, and its lines so far. */
async function tasksService() {
  const service = await stepProcess()
  const process = await service.start()
  return { ...service, process, entries: () => process.lines.map(toLogEntry) }
}

test('a quiet run of requests, tasks and ticks raises nothing', async () => {
  const notes = await notesService()
  expect(await notes.list(30)).toEqual(Array(30).fill(200))
  expect((await notes.api('/notes/none')).status).toBe(400)
  expect((await notes.api('/nowhere')).status).toBe(404)
  notes.child.kill('SIGTERM')
  expect(await notes.exit).toBe(0)
  const tasks = await tasksService()
  await tasks.enqueue('quiet')
  await tasks.finish()
  expect(await tasks.tick()).toBe(200)
  const entries = [...notes.entries(), ...tasks.entries()]
  expect(raised(entries)).toEqual([])
  expect(raised(entries, { minutes: 4 })).toEqual([])

  // no task and no tick is counted as a request of a caller, and no path is a label
  const requests = measure(metrics.get('runway-live-requests') as never, entries)
  expect(new Set(requests.map(({ labels }) => `${labels.method} ${labels.route} ${labels.status}`))).toEqual(
    new Set(['GET /notes 200', 'GET /notes/{id} 400', 'GET  404', 'POST /steps 201']),
  )
  const ticks = measure(metrics.get('runway-live-ticks') as never, entries)
  expect(ticks.length).toBeGreaterThanOrEqual(1)
  const latencies = measure(metrics.get('runway-live-latency') as never, entries).map(({ value }) => value)
  expect(latencies).toHaveLength(requests.length)
  expect(latencies.every((value) => value > 0 && value < 60)).toBe(true)
})

testOf('errors-fast', 'errors-slow')(
  'errors-fast, errors-slow: requests fail; a few failures are not enough',
  async () => {
    const { databaseUrl, list, entries } = await notesService()
    await list(2)
    await onServer(databaseUrl, 'alter table test_notes rename to gone')
    expect(await list(5)).toEqual(Array(5).fill(500))
    expect(raised(entries())).toEqual([])
    await list(20)
    expect(raised(entries())).toEqual(['errors-fast', 'errors-slow'])
    expect(raised(entries(), { minutes: 6 })).toEqual(['errors-slow']) // it has stopped
    expect(raised(entries(), { minutes: 31 })).toEqual([])
  },
)

testOf('latency')('latency: requests wait for a lock for more than a second', async () => {
  const { databaseUrl, listAtOnce, entries } = await notesService()
  const session = await openSession(databaseUrl)
  await session.query('begin')
  await session.query('lock table test_notes in access exclusive mode')
  const listed = listAtOnce(25)
  const waiting = `select count(*)::int as count from pg_stat_activity where datname = current_database()
    and wait_event_type = 'Lock' and clock_timestamp() - query_start > interval '1.2 s'`
  const watcher = await openSession(databaseUrl)
  for (let count = 0; count < 25; ) count = (await watcher.query(waiting)).rows[0].count
  await session.query('commit')
  expect(await listed).toEqual(Array(25).fill(200))
  expect(raised(entries())).toEqual(['latency'])
  expect(raised(entries(), { minutes: 16 })).toEqual([])
})

testOf('task-dead')('task-dead: an attempt fails for good; the texts name the task', async () => {
  const { directions, enqueue, finish, entries, ledger } = await tasksService()
  directions.push('fatal')
  await enqueue('hopeless')
  await finish()
  expect(raised(entries())).toEqual(['task-dead'])
  const [{ id } = { id: '' }] = await ledger()
  const [condition] = policies.get('task-dead')?.conditions ?? []
  const { filter = '', labelExtractors = {} } = condition?.conditionMatchedLog ?? {}
  const [line] = entries().filter(parseFilter(filter))
  expect(line?.jsonPayload?.task).toMatchObject({ id, name: 'steps.step' })
  expect(labelExtractors).toEqual({
    task: 'EXTRACT(jsonPayload.task.name)',
    id: 'EXTRACT(jsonPayload.task.id)',
  })
  const dead = measure(metrics.get('runway-live-dead-tasks') as never, entries())
  expect(dead.map(({ labels }) => labels)).toEqual([{ task: 'steps.step' }])
})

testOf('undo-failed')(
  'undo-failed: a task is cancelled, and the undo of its step fails for good',
  async () => {
    const { directions, enqueue, emulator, finish, entries, ledger, api } = await tasksService()
    directions.push('lasting', 'lasting')
    await enqueue('kept')
    await emulator.settle()
    const [{ id } = { id: '' }] = await ledger()
    expect(raised(entries())).toEqual([])
    expect((await api(`/runtime/tasks/${id}/cancel`, { method: 'POST' })).status).toBe(200)
    await finish()
    expect(await ledger()).toMatchObject([{ state: 'cancelled' }])
    expect(raised(entries())).toEqual(['undo-failed'])
    const line = entries().find(({ jsonPayload }) => jsonPayload?.code === 'RUNTIME_TASK_UNDO_FAILED')
    expect(line?.jsonPayload?.task).toMatchObject({ id, name: 'steps.step' })
  },
)

testOf('tick-absent')(
  'tick-absent: no tick comes for five minutes, whether Google then counts 0 or nothing',
  async () => {
    const { tick, entries } = await tasksService()
    expect(raised(entries(), { minutes: 10 })).toEqual([]) // before the first tick there is nothing to miss
    await tick()
    for (const zeros of [false, true]) {
      expect(raised(entries(), { minutes: 4, zeros })).toEqual([])
      expect(raised(entries(), { minutes: 6, zeros })).toEqual(['tick-absent'])
    }
  },
)

testOf('tasks-late')(
  'tasks-late: a task is due for ten minutes, in a queue that is paused or nowhere',
  async () => {
    const { enqueue, emulator, advance, tick, entries, query } = await tasksService()
    await fetch(`${emulator.url}/v2/projects/test/locations/local/queues/default:pause`, { method: 'POST' })
    await enqueue('waits')
    await advance(9 * minuteMs)
    await tick()
    expect(raised(entries())).toEqual([])
    await advance(2 * minuteMs)
    await tick()
    expect(raised(entries())).toEqual(['tasks-late'])
    expect(entries().at(-2)?.jsonPayload).toMatchObject({ task: { name: 'steps.step' }, lateSeconds: 660 })

    await query("update runtime.tasks set state = 'pending', touched_at = runtime.service_now()")
    const before = entries().length
    await tick()
    expect(raised(entries().slice(before))).toEqual(['tasks-late'])
  },
)

testOf('connections')('connections: four fifths of what the server allows are open', async () => {
  const { query, tick, start, process, entries } = await tasksService()
  await tick()
  expect(raised(entries())).toEqual([])
  // the catalogue of this database says what a busy server's would: its tests cannot hold 160 connections
  await query('create schema busy')
  await query('create view busy.pg_stat_database as select 180 as numbackends')
  const name = (await query('select current_database() as name'))[0]?.name
  await query(`alter database "${name}" set search_path = busy, pg_catalog, public`)
  process.child.kill('SIGKILL')
  await process.exit
  const busy = await start()
  await tick()
  expect(raised(busy.lines.map(toLogEntry))).toEqual(['connections'])
})

testOf('process-fails')('process-fails: a variable is missing, or an error ends the process', async () => {
  const refused = spawnBundle({}, { file: inject('stepsBundle') })
  expect(await refused.exit).toBe(1)
  expect(raised(refused.lines.map(toLogEntry))).toEqual(['process-fails'])
})

// These are lines of Cloud Run's own. They are copied from services that had them: nothing here can write them.
test.each(
  [
    [
      'process-fails',
      'STARTUP HTTP probe failed 60 times consecutively for container "runway-1" on port 8080 path "/ping". The instance was not started.',
    ],
    [
      'memory',
      'Memory limit of 1024 MiB exceeded with 1040 MiB used. Consider increasing the memory limit, see https://cloud.google.com/run/docs/configuring/memory-limits',
    ],
    ['memory', 'Out-of-memory event detected in container'],
  ].filter(([name = '']) => policies.has(name)),
)('%s: Cloud Run says "%s"', (name, line) => {
  expect(raised([systemEntry(line)])).toEqual([name])
})

test('each alert says what to look at first, and each word in it is known', () => {
  for (const [name, { documentation, conditions }] of policies) {
    expect(documentation.content, name).toMatch(/^\*\*Look first at\*\* /)
    const extracted = conditions.flatMap(({ conditionMatchedLog: line }) =>
      Object.keys(line?.labelExtractors ?? {}),
    )
    for (const [, label] of documentation.content.matchAll(/\$\{log\.extracted_label\.(\w+)\}/g))
      expect(extracted, name).toContain(label)
  }
})

test('the dashboard names metrics that exist, and its filters can be read', () => {
  const text = JSON.stringify(fill('dashboard.json'))
  for (const [, name = ''] of text.matchAll(/logging\.googleapis\.com\/user\/([\w-]+)/g))
    expect(metrics.has(name), name).toBe(true)
  expect(text).not.toContain('{{')
})
