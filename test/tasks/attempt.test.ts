import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { type Attempt, defineTask } from '#src/runtime/tasks/task.ts'
import { expectJson } from '#test/support/expect.ts'
import { bearer } from '#test/support/forge.ts'
import { testTasks } from '#test/support/task-variables.ts'
import { as } from '#test/support/tokens.ts'
import { trial } from './trial.ts'

const attempts: Attempt[] = []
let behave: (attempt: Attempt) => Promise<unknown> = async () => {}
const variables = { TRIAL_URL: z.url().optional() }
const work = defineTask({
  name: 'trial.work',
  payload: z.object({ size: z.int().default(3) }),
  variables,
  deadline: '15s',
  async run(attempt) {
    attempts.push(attempt)
    attempt.log.info({ size: attempt.payload.size }, `working for ${attempt.config.TRIAL_URL}`)
    await behave(attempt)
  },
})

const service = await trial({ tasks: [work], environment: { TRIAL_URL: 'https://trial.example/' } })
const { request, ledger, drain, lines, query } = service

afterEach(() => void vi.useRealTimers())
beforeEach(async () => {
  await service.clear()
  attempts.length = 0
  behave = async () => {}
})

test('run is given its payload as the schema makes it, its first attempt, and its variables', async () => {
  await request((tx) => enqueue(tx, work, {}))
  await drain()
  expect(attempts).toMatchObject([
    { payload: { size: 3 }, attempt: 1, caller: undefined, config: { TRIAL_URL: 'https://trial.example/' } },
  ])
  expect(attempts[0]?.signal.aborted).toBe(false)
  expect(await ledger()).toMatchObject([{ payload: {} }])
})

test('attempts count up; their idempotency key is the task’s id, always', async () => {
  behave = async ({ attempt }) => {
    if (attempt < 3) throw new Error('not yet')
  }
  const { id } = await request((tx) => enqueue(tx, work, {}))
  await drain({ until: '1h' })
  expect(attempts.map(({ attempt, idempotencyKey }) => [attempt, idempotencyKey])).toEqual([
    [1, id],
    [2, id],
    [3, id],
  ])
  expect(await ledger()).toMatchObject([{ state: 'done', attempts: 3, last_error: null }])
})

test('its caller is who enqueued it, by subject alone', async () => {
  await request((tx) => enqueue(tx, work, {}), await as('alice', ['some:scope']))
  await drain()
  expect(attempts[0]?.caller).toEqual({ subject: 'alice' })
})

test('its log lines carry the trace, the request id and the subject of the request that enqueued it', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const headers = {
    ...(await as('alice')),
    'X-Request-Id': 'order-of-alice',
    traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
  }
  const { id } = await request((tx) => enqueue(tx, work, { size: 7 }), headers)
  await drain()
  const line = lines.find(({ message }) => message === 'working for https://trial.example/')
  expect(line).toMatchObject({
    size: 7,
    'logging.googleapis.com/trace': traceId,
    'logging.googleapis.com/labels': {
      request_id: 'order-of-alice',
      subject: 'alice',
      task: 'trial.work',
      task_id: id,
      task_attempt: '1',
    },
  })
  const own = lines.find(({ message }) => message === 'POST /runtime/callbacks/trial.work 200')
  expect(own).not.toMatchObject({ 'logging.googleapis.com/trace': traceId })
  expect(await ledger()).toMatchObject([
    { trace_id: traceId, request_id: 'order-of-alice', subject: 'alice' },
  ])
})

test('what a task enqueues carries the same trace on', async () => {
  const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }
  await request((tx) => enqueue(tx, work, {}), headers)
  behave = async ({ attempt }) => {
    if (attempt === 1) await service.database.transaction((tx) => enqueue(tx, work, { size: 1 }))
    behave = async () => {}
  }
  await drain()
  const rows = await ledger()
  expect(rows).toHaveLength(2)
  expect(rows).toMatchObject(rows.map(() => ({ trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' })))
})

test('a row holds no token and no scope of its caller', async () => {
  const headers = await as('alice', ['some:scope'])
  await request((tx) => enqueue(tx, work, {}), headers)
  const row = JSON.stringify(await query('select * from runtime.tasks'))
  expect(row).not.toContain('some:scope')
  expect(row).not.toContain(headers.Authorization?.slice(7))
})

test('when the request’s deadline nears, the signal aborts, and the attempt has failed', async () => {
  const quick = await trial({ tasks: [work], environment: { REQUEST_TIMEOUT: '3' } })
  await quick.request((tx) => enqueue(tx, work, {}))
  const started = Promise.withResolvers<void>()
  behave = ({ signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      started.resolve()
    })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const deliveries = quick.drain()
  await started.promise
  await vi.advanceTimersByTimeAsync(2_400) // before the deadline of the request, which is 2.7 s
  expect(await deliveries).toMatchObject([{ status: 200 }])
  expect(attempts[0]?.signal.reason).toMatchObject({ message: 'The attempt took longer than its 2.4 s' })
  expect(await quick.ledger()).toMatchObject([
    {
      state: 'queued',
      dispatch: 2,
      attempts: 1,
      last_error: 'Error: The attempt took longer than its 2.4 s',
    },
  ])
})

test('an attempt that does not listen is given up all the same, and what it returns is not written', async () => {
  const quick = await trial({ tasks: [work], environment: { REQUEST_TIMEOUT: '3' } })
  const { id } = await quick.request((tx) => enqueue(tx, work, {}))
  const started = Promise.withResolvers<void>()
  const { promise, resolve } = Promise.withResolvers<void>()
  behave = () => {
    started.resolve()
    return promise
  }
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const response = quick.callback({ name: work.name, id, dispatch: 1 })
  await started.promise
  await vi.advanceTimersByTimeAsync(2_400) // before the deadline of the request, which is 2.7 s
  expect(await expectJson(await response)).toEqual({ outcome: 'retrying' })
  resolve()
  expect(await quick.ledger()).toMatchObject([{ state: 'queued', dispatch: 2 }])
})

test('when the process stops (SIGTERM), the signal aborts, the task is given back, and no attempt counted', async () => {
  const stop = new AbortController()
  const stopping = await trial({ tasks: [work], stopping: stop.signal })
  const { id } = await stopping.request((tx) => enqueue(tx, work, {}))
  behave = ({ signal }) => {
    queueMicrotask(() => stop.abort())
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
  const response = await stopping.callback({ name: work.name, id, dispatch: 1 })
  expect(response.status).toBe(409)
  expect(response.headers.get('retry-after')).toBe('1')
  await response.text()
  expect(await stopping.ledger()).toMatchObject([
    { state: 'queued', dispatch: 1, attempts: 0, lease: null, leased_until: null, last_error: null },
  ])
})

test('when the process stops while the effect is written, it is written to its end', async () => {
  const stop = new AbortController()
  const writing = defineTask({
    name: 'trial.writing',
    payload: z.object({}),
    run: async () => async (tx) => {
      stop.abort()
      await tx.execute(sql`select 1`)
    },
  })
  const stopping = await trial({ tasks: [writing], stopping: stop.signal })
  const { id } = await stopping.request((tx) => enqueue(tx, writing, {}))
  const response = await stopping.callback({ name: writing.name, id, dispatch: 1 })
  expect(await expectJson(response)).toEqual({ outcome: 'done' })
  expect(await stopping.ledger()).toMatchObject([{ state: 'done', attempts: 1 }])
})

test('when it is cancelled meanwhile, nothing is written', async () => {
  await request((tx) => enqueue(tx, work, {}))
  behave = async () => {
    await query("update runtime.tasks set state = 'cancelled', lease = null, dispatch = dispatch + 1")
  }
  expect(await drain()).toMatchObject([{ status: 200 }])
  expect(await ledger()).toMatchObject([{ state: 'cancelled', attempts: 1 }])
  expect(lines).toContainEqual(
    expect.objectContaining({
      severity: 'WARNING',
      message: 'trial.work: the lease was lost, nothing was written',
    }),
  )
})

test('when Cloud Tasks gives the call up, the signal aborts, and the attempt has failed', async () => {
  const { id } = await request((tx) => enqueue(tx, work, {}))
  const call = new AbortController()
  const aborted = Promise.withResolvers<unknown>()
  behave = ({ signal }) => {
    call.abort()
    return new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => {
        aborted.resolve(signal.reason)
        reject(signal.reason)
      }),
    )
  }
  const token = await service.emulator.oidc.sign({ aud: service.url, email: testTasks.TASKS_INVOKER })
  const response = fetch(`${service.url}/runtime/callbacks/trial.work`, {
    method: 'POST',
    headers: { ...bearer(token), 'Content-Type': 'application/json' },
    body: JSON.stringify({ id, dispatch: 1 }),
    signal: call.signal,
  })
  await expect(response).rejects.toThrow('aborted')
  expect(await aborted.promise).toMatchObject({ message: 'The client left' })
  await expect.poll(ledger).toMatchObject([{ state: 'queued', dispatch: 2, attempts: 1 }])
})
