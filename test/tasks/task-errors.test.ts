import { beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { Reporter } from '#src/runtime/kernel/reporter.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask, type Effect } from '#src/runtime/tasks/task.ts'
import { fatal, retryAfter } from '#src/runtime/tasks/task-errors.ts'
import { notesTable } from '#test/support/notes-table.ts'
import { openSession } from '#test/support/session.ts'
import { trial } from './trial.ts'

let behave: (attempt: number) => Promise<Effect | undefined>
const attempts: number[] = []
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  retry: { attempts: 3, backoff: { min: '10s', max: '15s' } },
  async run({ attempt }) {
    attempts.push(attempt)
    return behave(attempt)
  },
})
const error = vi.fn<NonNullable<Reporter['error']>>()
const service = await trial({ tasks: [work], reporter: { error } })
const { request, ledger, drain, lines, emulator, query } = service
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }

/** Enqueues the task and makes its first attempt. Returns its id. */
async function start(): Promise<string> {
  const { id } = await request((tx) => enqueue(tx, work, {}), headers)
  await drain()
  return id
}

const linesOf = (severity: string) => lines.filter((line) => line.severity === severity)
/** How long until the next attempt, in milliseconds. */
const wait = () => Math.min(...emulator.pending().map(({ scheduleTime }) => scheduleTime)) - emulator.now()

beforeEach(async () => {
  await service.clear()
  attempts.length = 0
  error.mockReset()
  behave = async () => {
    throw new Error('the warehouse is shut')
  }
})

test('an error whose text is cut within a character is stored: a fatal one ends the task at its first attempt', async () => {
  behave = async () => {
    throw fatal(`${'a'.repeat(10)}${'😀'.slice(0, 1)}`)
  }
  await start()
  expect(await ledger()).toMatchObject([
    { state: 'dead', attempts: 1, last_error: expect.stringMatching(/a{10}/) },
  ])
})

test('a failed attempt is a WARNING with its error and trace, is not reported, and is acknowledged', async () => {
  const id = await start()
  expect(linesOf('WARNING')).toMatchObject([
    {
      message: expect.stringMatching(/^trial\.work: attempt 1 of 3 failed; the next in \d+ s$/),
      stack_trace: expect.stringContaining('the warehouse is shut'),
      'logging.googleapis.com/trace': traceId,
      'logging.googleapis.com/labels': { task_id: id, task_attempt: '1' },
    },
  ])
  expect(error).not.toHaveBeenCalled()
  expect(await ledger()).toMatchObject([
    { state: 'queued', dispatch: 2, attempts: 1, lease: null, last_error: 'Error: the warehouse is shut' },
  ])
  expect(emulator.pending()).toMatchObject([{ body: JSON.stringify({ id, dispatch: 2 }) }])
})

test('the next attempt comes after the task’s own wait, which doubles up to its longest', async () => {
  await start()
  const first = wait()
  expect(first).toBeGreaterThanOrEqual(5000)
  expect(first).toBeLessThanOrEqual(10_000)
  await drain({ until: '10s' })
  expect(attempts).toEqual([1, 2])
  const [row] = await ledger()
  const second = Number(row?.due_at) - Number(row?.started_at) - first
  expect(second).toBeGreaterThanOrEqual(7500)
  expect(second).toBeLessThanOrEqual(15_000)
})

test('when its attempts are spent it is dead: one ERROR entry, one report, with task, id, attempts and trace', async () => {
  const id = await start()
  await drain({ until: '5m' })
  await service.tick()
  await service.advance('2m')
  await service.tick()
  expect(attempts).toEqual([1, 2, 3])
  expect(await ledger()).toMatchObject([
    { state: 'dead', attempts: 3, lease: null, last_error: 'Error: the warehouse is shut' },
  ])
  expect(linesOf('ERROR')).toMatchObject([
    {
      message: `trial.work is dead after 3 attempts: task ${id}`,
      task: { id, name: 'trial.work', attempts: 3 },
      stack_trace: expect.stringContaining('the warehouse is shut'),
      'logging.googleapis.com/trace': traceId,
    },
  ])
  expect(error).toHaveBeenCalledTimes(1)
  expect(error).toHaveBeenCalledWith(
    expect.objectContaining({ message: 'the warehouse is shut' }),
    expect.objectContaining({ task: 'trial.work', taskId: id, attempts: 3, traceId }),
  )
  expect(linesOf('WARNING')).toHaveLength(2)
})

test('a death is noted as told when its report is sent, by the attempt or by the tick', async () => {
  behave = async () => {
    throw fatal('no such order')
  }
  const told: unknown[] = []
  const watcher = await openSession(service.databaseUrl) // a new connection may take longer than a report may
  error.mockImplementation(async () =>
    told.push(...(await watcher.query('select announced_at is not null as told from runtime.tasks')).rows),
  )
  await start()
  expect(told).toEqual([{ told: false }])
  expect(await query('select from runtime.tasks where announced_at is null')).toEqual([])
  await query('update runtime.tasks set announced_at = null')
  await service.advance('31s')
  await service.tick()
  expect(told).toEqual([{ told: false }, { told: false }])
  expect(await query('select from runtime.tasks where announced_at is null')).toEqual([])
})

test('a fatal error is not tried again', async () => {
  behave = async () => {
    throw fatal('no such order', { cause: new Error('404') })
  }
  const id = await start()
  await drain({ until: '2h' })
  expect(attempts).toEqual([1])
  expect(await ledger()).toMatchObject([
    { id, state: 'dead', attempts: 1, last_error: 'FatalError: no such order, caused by Error: 404' },
  ])
  expect(error).toHaveBeenCalledTimes(1)
  expect(linesOf('ERROR')).toHaveLength(1)
})

test('retryAfter says itself when to try again, beyond the task’s longest wait, and spends an attempt', async () => {
  behave = async () => {
    throw retryAfter('1h', 'come back later')
  }
  await start()
  expect(wait()).toBe(3_600_000)
  await drain({ until: '59m' })
  expect(attempts).toEqual([1])
  await service.advance('59m')
  await drain({ until: '2h' })
  expect(attempts).toEqual([1, 2, 3])
  expect(await ledger()).toMatchObject([{ state: 'dead', last_error: 'RetryAfterError: come back later' }])
})

test.each([
  ['a text', 'broken'],
  ['nothing', undefined],
  ['what cannot be printed', Object.create(null)],
])('a task that throws %s has failed like any other', async (_what, thrown) => {
  behave = () => Promise.reject(thrown)
  await start()
  expect(await ledger()).toMatchObject([{ state: 'queued', attempts: 1, last_error: expect.any(String) }])
})

test('an effect commits with done; one that fails writes nothing, and the attempt has failed', async () => {
  const id = '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f'
  const write: Effect = (tx) => tx.insert(notesTable).values({ id, owner: 'alice', text: 'done', pages: 1 })
  behave = async (attempt) => async (tx) => {
    await write(tx)
    if (attempt === 1) throw new Error('the effect failed')
  }
  await start()
  expect(await query('select * from test_notes')).toEqual([])
  expect(await ledger()).toMatchObject([
    { state: 'queued', attempts: 1, last_error: 'Error: the effect failed' },
  ])
  await drain({ until: '10s' })
  expect(await query('select id from test_notes')).toEqual([{ id }])
  expect(await ledger()).toMatchObject([{ state: 'done', attempts: 2, last_error: null }])
})

test('an effect whose failed statement was caught has failed all the same', async () => {
  behave = async () => (tx) => tx.execute('select 1 / 0').catch(() => {})
  await start()
  expect(await ledger()).toMatchObject([{ state: 'queued', attempts: 1 }])
})

test('an effect may throw fatal: nothing is written, and the task is dead', async () => {
  behave = async () => async () => {
    throw fatal('not after all')
  }
  await start()
  expect(await ledger()).toMatchObject([{ state: 'dead', attempts: 1 }])
})

test('a death that the process did not live to tell is told by the tick, with the same trace, once', async () => {
  const id = await start()
  await query(
    "update runtime.tasks set state = 'dead', finished_at = runtime.service_now(), last_error = 'Error: lost', announced_at = null",
  )
  lines.length = 0
  await service.tick()
  expect(linesOf('ERROR')).toEqual([])
  await service.advance('31s')
  await Promise.all([service.tick(), service.tick(), service.tick()])
  expect(linesOf('ERROR')).toMatchObject([
    {
      message: `trial.work is dead after 1 attempts: task ${id}`,
      task: { id, name: 'trial.work', attempts: 1 },
      'logging.googleapis.com/trace': traceId,
    },
  ])
  expect(error.mock.calls).toMatchObject([
    [{ message: 'Error: lost' }, { task: 'trial.work', taskId: id, attempts: 1, traceId }],
  ])
})
