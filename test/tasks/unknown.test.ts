import { beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { Reporter } from '#src/runtime/kernel/reporter.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { makeDatabase } from '#test/support/database.ts'
import { trial } from './trial.ts'

const ran: unknown[] = []
const define = (name: string, payload: z.ZodType) =>
  defineTask({
    name,
    payload,
    retry: { attempts: 2 },
    async run({ payload }) {
      ran.push(payload)
    },
  })
const newTask = define('trial.new', z.object({}))
const wide = define('trial.kept', z.object({ size: z.union([z.int(), z.string()]) }))
const narrow = define('trial.kept', z.object({ size: z.int() }))

const databaseUrl = await makeDatabase()
const error = vi.fn<NonNullable<Reporter['error']>>()
/** The revision that is served, and one ahead of it that knows more; they share the ledger. */
const service = await trial({ tasks: [narrow], databaseUrl, reporter: { error } })
const ahead = await trial({ tasks: [wide, newTask], databaseUrl })
const { ledger, drain, lines, emulator } = service

/** Enqueues what only the revision ahead understands; the tick of the one that is served hands it over. */
async function forward(task: typeof newTask, payload: unknown): Promise<string> {
  const { id } = await ahead.database.transaction((tx) => enqueue(tx, task, payload))
  return id
}

/** How long Cloud Tasks waits for the response to the one delivery that it holds. */
async function deadline(): Promise<string> {
  const [delivery] = emulator.pending()
  const response = await fetch(`${emulator.url}/v2/${delivery?.queue}/tasks/${delivery?.task}`)
  const { dispatchDeadline } = (await response.json()) as { dispatchDeadline: string }
  return dispatchDeadline
}

beforeEach(async () => {
  await service.clear()
  ran.length = 0
  error.mockReset()
})

test.each([
  { what: 'a name', task: newTask, payload: {}, why: 'this revision does not have a task of this name' },
  {
    what: 'a payload',
    task: wide,
    payload: { size: 'XL' },
    why: 'this revision does not understand its payload',
  },
])(
  '$what that this revision does not know waits, and no attempt is counted',
  async ({ task, payload, why }) => {
    await forward(task, payload)
    await drain({ until: '10m' })
    const [row] = await ledger()
    expect(row).toMatchObject({ state: 'queued', attempts: 0, started_at: null, last_error: why })
    expect(row?.dispatch).toBeGreaterThan(5)
    expect(lines).toContainEqual(
      expect.objectContaining({
        severity: 'WARNING',
        message: `${task.name}: ${why}; the task waits for a revision that does`,
      }),
    )
    expect(ran).toEqual([])
    expect(error).not.toHaveBeenCalled()
  },
)

test('a delivery of a name that this revision does not know waits as long as Cloud Tasks can: its task may be a long one', async () => {
  await forward(newTask, {})
  await service.advance('31s')
  await service.tick()
  expect(await ledger()).toMatchObject([{ state: 'queued', dispatch: 1 }])
  expect(await deadline()).toBe('1800s')
  expect(await emulator.settle()).toMatchObject([{ status: 200 }])
  expect(await ledger()).toMatchObject([{ state: 'queued', dispatch: 2 }])
  expect(await deadline()).toBe('1800s')
})

test('one of a name that it knows waits a little longer than its own deadline', async () => {
  await forward(narrow, { size: 1 })
  await service.advance('31s')
  await service.tick()
  expect(await deadline()).toBe('255s')
})

test('it is not lost where its next delivery cannot be handed over: a later tick does that', async () => {
  await forward(newTask, {})
  await service.advance('31s')
  await service.tick()
  emulator.faults.set({ createUnavailable: { times: 1 } })
  expect(await emulator.settle()).toMatchObject([{ status: 200 }])
  expect(emulator.pending()).toEqual([])
  expect(await ledger()).toMatchObject([{ state: 'pending', dispatch: 2, attempts: 0 }])
  await service.advance('2m')
  await service.tick()
  expect(await ledger()).toMatchObject([{ state: 'queued', dispatch: 2 }])
  expect(await deadline()).toBe('1800s')
})

test('a later revision that understands it runs it, with all its attempts', async () => {
  const id = await forward(newTask, {})
  await drain({ until: '10m' })
  const [row] = await ledger()
  const response = await ahead.callback({ name: newTask.name, id, dispatch: row?.dispatch ?? 0 })
  expect(await response.json()).toEqual({ outcome: 'done' })
  expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1 }])
  expect(ran).toEqual([{}])
})

test('after TASKS_PATIENCE, an hour if absent, it is dead, and that is told once', async () => {
  const id = await forward(newTask, {})
  await drain({ until: '59m' })
  expect(await ledger()).toMatchObject([{ state: 'queued' }])
  await drain({ until: '4m' })
  expect(await ledger()).toMatchObject([{ state: 'dead', attempts: 0 }])
  expect(lines.filter(({ severity }) => severity === 'ERROR')).toHaveLength(1)
  expect(error.mock.calls).toMatchObject([
    [
      { message: 'No revision can run the task: this revision does not have a task of this name' },
      { task: 'trial.new', taskId: id, attempts: 0 },
    ],
  ])
})

test('with a patience of 0 it is dead at the second look', async () => {
  const hasty = await trial({ tasks: [narrow], environment: { TASKS_PATIENCE: '0' } })
  await hasty.database.transaction((tx) => enqueue(tx, newTask, {}))
  await hasty.drain({ until: '1m' })
  expect(await hasty.ledger()).toMatchObject([{ state: 'dead', attempts: 0, dispatch: 2 }])
})

test('patience starts over when it was understood in between', async () => {
  const id = await forward(newTask, {})
  await drain({ until: '50m' })
  const [before] = await ledger()
  const { run } = newTask
  Object.assign(newTask, { run: () => Promise.reject(new Error('not yet')) })
  const response = await ahead.callback({ name: newTask.name, id, dispatch: before?.dispatch ?? 0 })
  Object.assign(newTask, { run })
  expect(await response.json()).toEqual({ outcome: 'retrying' })
  expect(await service.query('select state, attempts, unknown_since from runtime.tasks')).toEqual([
    { state: 'queued', attempts: 1, unknown_since: null },
  ])
})
