import { beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { Reporter } from '#src/runtime/kernel/reporter.ts'
import { cancelTask } from '#src/runtime/tasks/cancel.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { fatal } from '#src/runtime/tasks/task-errors.ts'
import { expectJson } from '#test/support/expect.ts'
import { openSession } from '#test/support/session.ts'
import { trial } from './trial.ts'

// A task that is cancelled after some of its steps: their undos run, the last one first.

const seen: string[] = []
let refund: () => void = () => {}
let release: () => void = () => {}
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  retry: { attempts: 2, backoff: { min: '1s', max: '1s' } },
  async run({ step, sleep }) {
    await step('reserve', z.object({ slot: z.int() }), async () => ({ slot: 7 }), {
      undo: async ({ result }) => {
        seen.push(`release ${result.slot}`)
        release()
      },
    })
    await step('charge', async () => void seen.push('charge'), {
      undo: async () => {
        seen.push('refund')
        refund()
      },
    })
    await step('mail', async () => void seen.push('mail'))
    await sleep('nap', '1h')
  },
})
const error = vi.fn<NonNullable<Reporter['error']>>()
const service = await trial({ tasks: [work], reporter: { error } })
const { request, drain, ledger, lines, query } = service
const olga = await service.as('olga', ['runtime:admin'])
const post = (path: string) => olga(path, { method: 'POST' })
const enqueueWork = () => request((tx) => enqueue(tx, work, {}))

beforeEach(async () => {
  await service.clear()
  seen.length = 0
  refund = () => {}
  release = () => {}
  error.mockReset()
})

/** Cancels a task of which one undo has failed for good, and the other is to be tried again. */
async function cancelWithFailingUndos(): Promise<string> {
  refund = () => {
    throw fatal('bank away')
  }
  release = () => {
    throw new Error('busy')
  }
  const { id } = await enqueueWork()
  await drain()
  await post(`/runtime/tasks/${id}/cancel`)
  await drain()
  return id
}

const failed = () => lines.filter(({ code }) => code === 'RUNTIME_TASK_UNDO_FAILED')

test('of a sleeping task undoes its steps at once, and it is cancelled', async () => {
  const { id } = await enqueueWork()
  await drain()
  const shown = await expectJson(await post(`/runtime/tasks/${id}/cancel`))
  expect(shown).toMatchObject({ state: 'pending', undoing: 'cancelled' })
  expect(shown).not.toHaveProperty('waitsFor')
  await drain()
  expect(seen).toEqual(['charge', 'mail', 'refund', 'release 7'])
  expect(await ledger()).toMatchObject([{ state: 'cancelled', undoing: null, undone: 1 }])
  expect(lines.filter(({ code }) => code === 'RUNTIME_TASK_DEAD')).toEqual([])
})

describe('a second one', () => {
  test('ends it without its undos, and says which: in the log, in a report, and in the task', async () => {
    const { id } = await enqueueWork()
    await drain()
    await post(`/runtime/tasks/${id}/cancel`)
    const shown = await expectJson(await post(`/runtime/tasks/${id}/cancel`))
    const why = 'given up: olga has cancelled the task once more'
    const lastError = `these undos have failed: charge (${why}), reserve (${why})`
    expect(shown).toMatchObject({ state: 'cancelled', lastError })
    expect(failed()).toMatchObject([
      {
        ...{ severity: 'ERROR', message: `trial.work is cancelled: ${lastError}` },
        task: { id, name: 'trial.work' },
      },
    ])
    expect(error.mock.calls).toMatchObject([[{ message: lastError }, { task: 'trial.work', taskId: id }]])
    expect(await expectJson(await post(`/runtime/tasks/${id}/cancel`))).toMatchObject({ state: 'cancelled' })
    await drain({ until: '2h' })
    expect(seen).toEqual(['charge', 'mail'])
    expect(failed()).toHaveLength(1)
  })

  test('names the undos that have failed before, and the error that the task died of', async () => {
    const id = await cancelWithFailingUndos()
    await query(`update runtime.tasks set undoing = 'dead', last_error = 'FatalError: no stock'`)
    await post(`/runtime/tasks/${id}/cancel`)
    const undos =
      'these undos have failed: charge (FatalError: bank away), reserve (Error: busy; given up: olga has cancelled the task once more)'
    expect(await ledger()).toMatchObject([
      { state: 'cancelled', last_error: `FatalError: no stock; ${undos}` },
    ])
    expect(failed()).toMatchObject([{ message: `trial.work is cancelled: ${undos}` }])
    expect(lines.filter(({ code }) => code === 'RUNTIME_TASK_DEAD')).toEqual([])
  })

  test('after all undos says nothing more', async () => {
    const { id } = await enqueueWork()
    await drain()
    await post(`/runtime/tasks/${id}/cancel`)
    await drain()
    await query(`update runtime.tasks set state = 'running', undoing = 'cancelled', undone = 0`) // as before its end
    await post(`/runtime/tasks/${id}/cancel`)
    expect(await ledger()).toMatchObject([{ state: 'cancelled', last_error: null }])
    expect(failed()).toEqual([])
  })
})

test('whose undo fails is an error in the log, a report, and in the task', async () => {
  refund = () => {
    throw fatal('bank away')
  }
  const { id } = await enqueueWork()
  await drain()
  await post(`/runtime/tasks/${id}/cancel`)
  await drain({ until: '1m' })
  expect(await ledger()).toMatchObject([
    { state: 'cancelled', last_error: 'these undos have failed: charge (FatalError: bank away)' },
  ])
  expect(failed()).toMatchObject([{ severity: 'ERROR', task: { id, name: 'trial.work' } }])
  expect(error.mock.calls).toMatchObject([
    [
      { message: 'these undos have failed: charge (FatalError: bank away)' },
      { task: 'trial.work', taskId: id },
    ],
  ])
})

test('whose undos are given up names those that have failed before', async () => {
  await cancelWithFailingUndos()
  expect(await ledger()).toMatchObject([{ state: 'queued', undoing: 'cancelled' }])
  await query('update runtime.tasks set attempts = 2') // as where a process ended in its last attempt
  await drain({ until: '1m' })
  const message =
    'these undos have failed: charge (FatalError: bank away), reserve (Error: busy; given up: Error: The process ended during the last attempt)'
  expect(await ledger()).toMatchObject([{ state: 'cancelled', last_error: message }])
  expect(failed()).toMatchObject([{ message: `trial.work is cancelled: ${message}` }])
})

test('whose undo fails is not over before its report is sent', async () => {
  refund = () => {
    throw fatal('bank away')
  }
  const states: unknown[] = []
  const watcher = await openSession(service.databaseUrl) // a new connection may take longer than a report may
  error.mockImplementation(async () =>
    states.push(...(await watcher.query('select state from runtime.tasks')).rows),
  )
  const { id } = await enqueueWork()
  await drain()
  await post(`/runtime/tasks/${id}/cancel`)
  await drain({ until: '1m' })
  expect(states).toEqual([{ state: 'running' }])
})

test('of a feature reaches a task that has started, if it says so', async () => {
  const { id } = await enqueueWork()
  await drain()
  expect(await request((tx) => cancelTask(tx, id))).toBe('started')
  expect(await request((tx) => cancelTask(tx, id, { started: true }))).toBe('cancelled')
  expect(await request((tx) => cancelTask(tx, id, { started: true }))).toBe('cancelled')
  await drain()
  expect(seen).toEqual(['charge', 'mail', 'refund', 'release 7'])
  expect(await ledger()).toMatchObject([{ state: 'cancelled' }])
  expect(await request((tx) => cancelTask(tx, id, { started: true }))).toBe('cancelled')
})
