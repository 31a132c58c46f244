import { afterEach, expect, test } from 'vitest'
import { onServer } from '#test/support/database.ts'
import { type Direction, type StepAttempt, stepsFeature } from '#test/support/steps.ts'
import { taskService } from '#test/support/task-service.ts'
import { testTasks } from '#test/support/task-variables.ts'
import { written } from '#test/support/work.ts'

// Who may run a task, and write what it leads to.

let direct: (attempt: StepAttempt) => Promise<Direction>
const { feature } = stepsFeature((attempt) => direct(attempt))
const service = await taskService({ features: [feature] })
const { databaseUrl, emulator, url } = service
const operator = await service.as('operator', ['runtime:admin'])

afterEach(async () => {
  await onServer(databaseUrl, 'truncate runtime.tasks, runtime.steps, runtime.signals, test_notes')
  await service.drain({ until: '1h' }) // whatever Cloud Tasks still holds is stale
})

async function enqueue(text = 'Tea') {
  await operator('/steps', { json: { text } })
  const row = (await service.ledger()).at(-1)
  if (!row) throw new Error('Nothing was enqueued.')
  return row
}

/** Calls back as Cloud Tasks does. */
async function callBack(dispatch: { id: string; dispatch: number }, name = 'steps.step') {
  const token = await emulator.oidc.sign({ aud: url, email: testTasks.TASKS_INVOKER })
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const { id, dispatch: number } = dispatch
  return fetch(`${url}/runtime/callbacks/${name}`, {
    ...{ method: 'POST', headers },
    body: JSON.stringify({ id, dispatch: number }),
  })
}

/** Has the next attempt wait. Resolves with it, when it runs, and with what lets it go on. */
function holdNext() {
  const running = Promise.withResolvers<StepAttempt>()
  const going = Promise.withResolvers<Direction>()
  direct = (attempt) => {
    direct = async () => 'write'
    running.resolve(attempt)
    return going.promise
  }
  return { running: running.promise, go: going.resolve }
}

test('of two callbacks at once for one dispatch, one runs, and the other comes back later', async () => {
  const row = await enqueue()
  const { running, go } = holdNext()
  const first = callBack(row)
  await running
  const second = await callBack(row)
  expect(second.status).toBe(409)
  expect(second.headers.get('retry-after')).toBe('30')
  expect(await second.json()).toMatchObject({ code: 'RUNTIME_TASK_BUSY' })
  await service.advance('12s')
  expect((await callBack(row)).headers.get('retry-after')).toBe('18')
  go('write')
  expect(await (await first).json()).toEqual({ outcome: 'done' })
  expect(await (await callBack(row)).json()).toEqual({ outcome: 'ignored' })
  expect(await service.ledger()).toMatchObject([{ state: 'done', attempts: 1 }])
  expect(await written(databaseUrl)).toEqual(['Tea'])
})

test('twenty callbacks at once: one runs', async () => {
  direct = async () => 'write'
  const row = await enqueue()
  const responses = await Promise.all(Array.from({ length: 20 }, () => callBack(row)))
  const statuses = responses.map(({ status }) => status)
  expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([])
  const outcomes = await Promise.all(responses.filter(({ ok }) => ok).map((response) => response.text()))
  expect(outcomes.filter((outcome) => /done/.test(outcome))).toHaveLength(1)
  expect(await service.ledger()).toMatchObject([{ state: 'done', attempts: 1 }])
  expect(await written(databaseUrl)).toEqual(['Tea'])
})

test.each<[string, (row: { id: string; dispatch: number }) => Promise<Response>]>([
  ['an earlier dispatch', ({ id, dispatch }) => callBack({ id, dispatch: dispatch - 1 })],
  ['a later dispatch', ({ id, dispatch }) => callBack({ id, dispatch: dispatch + 1 })],
  ['another task’s id', ({ dispatch }) => callBack({ id: crypto.randomUUID(), dispatch })],
  ['another task’s name', (row) => callBack(row, 'steps.other')],
])('a callback for %s is acknowledged, and runs nothing', async (_what, call) => {
  direct = async () => 'write'
  const { id } = await enqueue()
  await onServer(databaseUrl, 'update runtime.tasks set dispatch = 5')
  const logged = service.lines.length
  const response = await call({ id, dispatch: 5 })
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({ outcome: 'ignored' })
  expect(await service.ledger()).toMatchObject([{ state: 'queued', dispatch: 5, attempts: 0, lease: null }])
  const stale = { severity: 'INFO', message: expect.stringMatching(/the callback is stale/) }
  expect(service.lines.slice(logged)).toContainEqual(expect.objectContaining(stale))
})

test.each(['done', 'dead', 'cancelled'])('a task that is %s is not run again', async (state) => {
  const row = await enqueue()
  await onServer(databaseUrl, 'update runtime.tasks set state = $1', [state])
  expect(await (await callBack(row)).json()).toEqual({ outcome: 'ignored' })
  expect(await service.ledger()).toMatchObject([{ state, attempts: 0 }])
})

test('one task’s attempts and end are its own: others stay as they are', async () => {
  const first = await enqueue('Tea')
  await enqueue('Coffee')
  direct = async () => 'fail'
  await callBack(first)
  const [, untouched] = await service.ledger()
  expect(untouched).toMatchObject({ state: 'queued', dispatch: 1, attempts: 0, lease: null })
  direct = async () => 'write'
  await callBack({ id: first.id, dispatch: 2 })
  expect(await service.ledger()).toMatchObject([{ state: 'done' }, untouched])
  expect(await written(databaseUrl)).toEqual(['Tea'])
})

test('an expired lease that nobody took still finishes', async () => {
  const row = await enqueue()
  const { running, go } = holdNext()
  const response = callBack(row)
  await running
  await service.advance('5m')
  go('write')
  expect(await (await response).json()).toEqual({ outcome: 'done' })
  expect(await written(databaseUrl)).toEqual(['Tea'])
})

test.each<Direction>(['write', 'rest', 'fail', 'fatal'])(
  'a lease that someone else took: told to %s, the attempt changes nothing',
  async (direction) => {
    const row = await enqueue()
    const { running, go } = holdNext()
    const late = callBack(row)
    await running
    await service.advance('31s')
    const { running: runningAgain, go: goAgain } = holdNext()
    const second = callBack(row)
    await runningAgain
    const [taken] = await service.ledger()
    go(direction)
    expect((await late).status).toBe(409) // the delivery is not acknowledged while the task is under way
    expect(await service.ledger()).toEqual([taken])
    expect(await written(databaseUrl)).toEqual([])
    goAgain('write')
    expect(await (await second).json()).toEqual({ outcome: 'done' })
    expect(await service.ledger()).toMatchObject([{ state: 'done', dispatch: 1, attempts: 2 }])
    expect(await written(databaseUrl)).toEqual(['Tea'])
  },
)

test('a delivery from before a redrive is acknowledged, and does nothing', async () => {
  const row = await enqueue()
  direct = async () => 'fatal'
  await callBack(row) // by hand: Cloud Tasks still holds its own delivery
  await operator(`/runtime/tasks/${row.id}/redrive`, { method: 'POST' })
  expect(await service.ledger()).toMatchObject([{ state: 'queued', dispatch: 2, attempts: 0 }])
  expect(emulator.pending().map(({ body }) => JSON.parse(body).dispatch)).toEqual([1, 2])
  direct = async () => 'write'
  expect(await (await callBack(row)).json()).toEqual({ outcome: 'ignored' })
  expect(await service.ledger()).toMatchObject([{ state: 'queued', dispatch: 2, attempts: 0 }])
  expect((await service.drain()).map(({ status }) => status)).toEqual([200, 200])
  expect(await service.ledger()).toMatchObject([{ state: 'done', dispatch: 2, attempts: 1 }])
  expect(await written(databaseUrl)).toEqual(['Tea'])
})

test('a delivery from before a retry does nothing, even in the middle of the retry', async () => {
  const row = await enqueue()
  direct = async () => 'fail'
  await callBack(row)
  const { running, go } = holdNext()
  const second = callBack({ id: row.id, dispatch: 2 })
  await running
  await service.advance('31s') // its lease is free to take, but not for this one
  expect(await (await callBack(row)).json()).toEqual({ outcome: 'ignored' })
  go('write')
  expect(await (await second).json()).toEqual({ outcome: 'done' })
  expect(await written(databaseUrl)).toEqual(['Tea'])
})

test('a cancel of a task that runs: what it returns is not written', async () => {
  const other = await enqueue('Coffee')
  const row = await enqueue()
  const { running, go } = holdNext()
  const response = callBack(row)
  await running
  expect((await operator(`/runtime/tasks/${row.id}/cancel`, { method: 'POST' })).status).toBe(200)
  go('write')
  expect(await (await response).json()).toEqual({ outcome: 'ignored' })
  expect(await service.ledger()).toMatchObject([other, { state: 'cancelled', dispatch: 2, lease: null }])
  expect(await written(databaseUrl)).toEqual([])
})

test('a revision that does not know the task does not make it look untouched, where an attempt was made before', async () => {
  const row = await enqueue()
  const running = holdNext()
  const first = callBack(row)
  await running.running
  const [{ started_at: startedAt } = { started_at: null }] = await service.ledger()
  await onServer(
    databaseUrl,
    "update runtime.tasks set state = 'queued', lease = null, attempts = 0, name = 'steps.gone'",
  ) // as SIGTERM does
  running.go('write')
  await first
  await service.advance('1m')
  expect(await (await callBack(row, 'steps.gone')).json()).toEqual({ outcome: 'waiting' })
  expect(await service.ledger()).toMatchObject([{ attempts: 0, started_at: startedAt }])
})

test('nor does it make a task look tried that it has only looked at', async () => {
  const row = await enqueue()
  await onServer(databaseUrl, "update runtime.tasks set name = 'steps.gone'")
  expect(await (await callBack(row, 'steps.gone')).json()).toEqual({ outcome: 'waiting' })
  expect(await service.ledger()).toMatchObject([{ attempts: 0, started_at: null }])
})
