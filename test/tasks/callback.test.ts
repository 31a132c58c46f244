import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { bearer } from '#test/support/forge.ts'
import { testTasks } from '#test/support/task-variables.ts'
import { trial } from './trial.ts'

let behave: () => Promise<void> = async () => {}
const runs: unknown[] = []
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  retry: { attempts: 2 },
  async run() {
    runs.push(1)
    await behave()
  },
})
const other = defineTask({ name: 'trial.other', payload: z.object({}), async run() {} })
const service = await trial({ tasks: [work, other] })
const { callback, ledger, lines, query, emulator, api, url } = service
const { name } = work
let id = ''

beforeEach(async () => {
  await service.clear()
  runs.length = 0
  behave = async () => {}
  id = (await service.request((tx) => enqueue(tx, work, {}))).id
})

describe('the log entry of a delivery names its task, the trace that it belongs to, and the outcome:', () => {
  const labels = () => lines.findLast(({ httpRequest }) => httpRequest)?.['logging.googleapis.com/labels']
  const row = async () => (await query('select trace_id from runtime.tasks'))[0]

  test('done', async () => {
    const enqueued = await row()
    await expectJson(await callback({ name, id, dispatch: 1 }))
    const traced = { task_attempt: '1', task_trace: enqueued?.trace_id, task_outcome: 'done' }
    expect(labels()).toEqual({ request_id: expect.any(String), task: name, task_id: id, ...traced })
  })

  test('a retry', async () => {
    behave = () => Promise.reject(new Error('not now'))
    await expectJson(await callback({ name, id, dispatch: 1 }))
    expect(labels()).toMatchObject({ task_attempt: '1', task_outcome: 'retrying' })
  })

  test('a stale delivery, which has no attempt', async () => {
    await expectJson(await callback({ name, id, dispatch: 2 }))
    expect(labels()).toEqual({
      request_id: expect.any(String),
      task: name,
      task_id: id,
      task_outcome: 'ignored',
    })
  })

  test('a busy task, which has no outcome', async () => {
    await query("update runtime.tasks set state = 'running', leased_until = now() + interval '1 min'")
    await expectProblem(await callback({ name, id, dispatch: 1 }), 409, 'RUNTIME_TASK_BUSY')
    expect(labels()).toEqual({ request_id: expect.any(String), task: name, task_id: id })
  })
})

describe('acknowledged, logged and not run:', () => {
  test.each([
    ['an unknown id', { name, id: randomUUID(), dispatch: 1 }, 'not there'],
    ['another name', { name: 'trial.other', dispatch: 1 }, 'queued at dispatch 1'],
    ['a name that nobody knows', { name: 'no.such-task', dispatch: 1 }, 'queued at dispatch 1'],
    ['a dispatch to come', { name, dispatch: 2 }, 'queued at dispatch 1'],
  ])('%s', async (_what, dispatch, is) => {
    expect(await expectJson(await callback({ id, ...dispatch }))).toEqual({ outcome: 'ignored' })
    expect(lines).toContainEqual(
      expect.objectContaining({
        severity: 'INFO',
        message: `${dispatch.name}: the callback is stale: the task is ${is}`,
        task: { id, ...dispatch },
      }),
    )
    expect(runs).toEqual([])
    expect(await ledger()).toMatchObject([{ state: 'queued', attempts: 0 }])
  })

  test.each(['done', 'dead', 'cancelled'])('a task that is %s', async (state) => {
    await query('update runtime.tasks set state = $1', [state])
    expect(await expectJson(await callback({ name, id, dispatch: 1 }))).toEqual({ outcome: 'ignored' })
    expect(runs).toEqual([])
  })

  test('a dispatch that has passed, after a retry', async () => {
    behave = () => Promise.reject(new Error('not yet'))
    expect(await expectJson(await callback({ name, id, dispatch: 1 }))).toEqual({ outcome: 'retrying' })
    expect(await expectJson(await callback({ name, id, dispatch: 1 }))).toEqual({ outcome: 'ignored' })
    expect(runs).toHaveLength(1)
    expect(await expectJson(await callback({ name, id, dispatch: 2 }))).toEqual({ outcome: 'dead' })
  })
})

describe('a body', () => {
  const good = () => ({ id, dispatch: 1 })
  const send = async (body: string, type = 'application/json') => {
    const token = await emulator.oidc.sign({ aud: url, email: testTasks.TASKS_INVOKER })
    return api(`/runtime/callbacks/${name}`, {
      body,
      method: 'POST',
      headers: { ...bearer(token), 'Content-Type': type },
    })
  }

  test.each([
    ['that is no JSON', () => '{"id":'],
    ['that is empty', () => ''],
    ['that is a list', () => '[]'],
    ['without a dispatch', () => JSON.stringify({ id })],
    ['with an id that is none', () => JSON.stringify({ ...good(), id: '7' })],
    ['with a dispatch of 0', () => JSON.stringify({ ...good(), dispatch: 0 })],
    ['with half a dispatch', () => JSON.stringify({ ...good(), dispatch: 1.5 })],
    [
      'with a dispatch beyond an integer column',
      () => JSON.stringify({ ...good(), dispatch: 2_147_483_648 }),
    ],
    ['with a dispatch in a text', () => JSON.stringify({ ...good(), dispatch: '1' })],
    ['with a key that nobody knows', () => JSON.stringify({ ...good(), payload: {} })],
  ])('%s is a 400, and nothing runs', async (_what, body) => {
    const response = await send(body())
    expect(response.status).toBe(400)
    await response.text()
    expect(runs).toEqual([])
    expect(await ledger()).toMatchObject([{ state: 'queued', attempts: 0 }])
  })

  test('of another type is a 415', async () => {
    await expectProblem(await send(JSON.stringify(good()), 'text/plain'), 415, 'UNSUPPORTED_MEDIA_TYPE')
  })
})

test('a second callback while the first one works is a 409, and comes back when its lease may have ended', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  behave = () => {
    started.resolve()
    return promise
  }
  const first = callback({ name, id, dispatch: 1 })
  await started.promise
  const second = await callback({ name, id, dispatch: 1 })
  expect(second.headers.get('retry-after')).toBe('30')
  await expectProblem(second, 409, 'RUNTIME_TASK_BUSY')
  resolve()
  expect(await expectJson(await first)).toEqual({ outcome: 'done' })
  expect(await expectJson(await callback({ name, id, dispatch: 1 }))).toEqual({ outcome: 'ignored' })
  expect(runs).toHaveLength(1)
})

test('a callback whose task is given back as it looks is not acknowledged: the task would wait for nobody', async () => {
  await query(
    "update runtime.tasks set state = 'running', lease = gen_random_uuid(), leased_until = runtime.service_now() + '1 h'",
  )
  const { query: ask } = pg.Client.prototype as { query: (...words: unknown[]) => unknown }
  const asked = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client,
    ...words: unknown[]
  ) {
    const { text = '' } = words[0] as { text?: string }
    if (text.startsWith('select "name", "state", "dispatch"')) {
      void ask.call(this, "update runtime.tasks set state = 'queued', lease = null, leased_until = null")
    }
    return ask.apply(this, words)
  } as never)
  const response = await callback({ name, id, dispatch: 1 })
  asked.mockRestore()
  expect(await ledger()).toMatchObject([{ state: 'queued' }])
  await expectProblem(response, 409, 'RUNTIME_TASK_BUSY')
})

test('what a killed process held is claimed again when its lease has run out, and counts as an attempt', async () => {
  await query(
    `update runtime.tasks set state = 'running', attempts = 1, started_at = runtime.service_now(),
      lease = gen_random_uuid(), leased_until = runtime.service_now() + interval '30 s'`,
  )
  await expectProblem(await callback({ name, id, dispatch: 1 }), 409, 'RUNTIME_TASK_BUSY')
  await service.advance('31s')
  expect(await expectJson(await callback({ name, id, dispatch: 1 }))).toEqual({ outcome: 'done' })
  expect(await ledger()).toMatchObject([{ state: 'done', attempts: 2 }])
})

test('a task that kills its process each time is dead when its attempts are spent, and is not run again', async () => {
  await query(
    `update runtime.tasks set state = 'running', attempts = 2, started_at = runtime.service_now(),
      lease = gen_random_uuid(), leased_until = runtime.service_now() - interval '1 s'`,
  )
  expect(await expectJson(await callback({ name, id, dispatch: 1 }))).toEqual({ outcome: 'dead' })
  expect(runs).toEqual([])
  expect(await ledger()).toMatchObject([
    { state: 'dead', attempts: 2, last_error: 'Error: The process ended during the last attempt' },
  ])
})

test('a name with characters that no task has is acknowledged, and harms nothing', async () => {
  for (const odd of ['a%00b.c', '%F0%9F%8D%B5.tea', "a.b'--", 'redrive.x', 'a'.repeat(2000)]) {
    const response = await callback({ name: odd, id, dispatch: 1 })
    expect(response.status, odd).toBeLessThan(500)
    await response.text()
  }
})
