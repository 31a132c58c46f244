import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { fatal } from '#src/runtime/tasks/task-errors.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { trial } from './trial.ts'

// What operators see of a task's steps, and do about them.

const seen: string[] = []
let shut = true
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  signals: { paid: z.object({ amount: z.int() }) },
  retry: { attempts: 2, backoff: { min: '1s', max: '1s' } },
  async run({ step, sleep, waitFor }) {
    await step('fetch', z.string(), async () => {
      seen.push('fetch')
      return 'secret'
    })
    await step('ship', async () => {
      seen.push('ship')
      if (shut) throw fatal('the warehouse is shut')
    })
    await sleep('nap', '3d')
    const paid = await waitFor('paid', { key: 'k1', timeout: '7d' })
    seen.push(`paid ${paid?.amount}`)
  },
})
const service = await trial({ tasks: [work] })
const { request, drain, ledger } = service
const olga = await service.as('olga', ['runtime:admin'])
const post = (path: string) => olga(path, { method: 'POST' })
const enqueueWork = () => request((tx) => enqueue(tx, work, {}))
const signal = (body: object, key = `${Math.random()}`) =>
  olga('/runtime/tasks/signals', { json: body, headers: { 'Idempotency-Key': key } })

beforeEach(async () => {
  await service.clear()
  seen.length = 0
  shut = true
})

test('a task shows its steps and the errors of its attempts, and no results', async () => {
  const { id } = await enqueueWork()
  await drain()
  const response = await olga(`/runtime/tasks/${id}`)
  const text = await response.clone().text()
  const shown = await expectJson(response)
  expect(shown).toMatchObject({
    state: 'dead',
    errors: [
      {
        ...{ attempt: 1, step: 'ship', error: 'FatalError: the warehouse is shut', ms: expect.any(Number) },
        ...{ at: expect.stringMatching(/Z$/), revision: expect.any(String) },
      },
    ],
    steps: [
      { name: 'fetch', kind: 'step', tries: 1, finishedAt: expect.stringMatching(/Z$/) },
      { name: 'ship', kind: 'step', tries: 1, lastError: 'FatalError: the warehouse is shut' },
    ],
  })
  expect(text).not.toContain('secret')
})

test('a task that sleeps or waits shows for what, and until when', async () => {
  shut = false
  const { id } = await enqueueWork()
  await drain()
  const sleeping = await expectJson<{ dueAt: string; steps: object[] }>(await olga(`/runtime/tasks/${id}`))
  expect(sleeping).toMatchObject({ waitsFor: { name: 'nap', until: sleeping.dueAt } })
  expect(sleeping.steps.at(-1)).toEqual({
    ...{ name: 'nap', kind: 'sleep', tries: 0, until: sleeping.dueAt },
    ...{ startedAt: expect.any(String), revision: expect.any(String) },
  })
  await drain({ until: '4d' })
  const waiting = await expectJson<{ dueAt: string }>(await olga(`/runtime/tasks/${id}`))
  expect(waiting).toMatchObject({ waitsFor: { name: 'paid', key: 'k1', until: waiting.dueAt } })
})

test('run now ends a sleep', async () => {
  shut = false
  const { id } = await enqueueWork()
  await drain()
  expect((await post(`/runtime/tasks/${id}/run`)).status).toBe(200)
  await drain()
  await service.expectSteps(work, ['fetch', 'ship', 'nap'])
  expect(await ledger()).toMatchObject([{ waits_for: 'paid' }])
  expect((await post(`/runtime/tasks/${id}/run`)).status).toBe(200) // a wait goes on
  await drain()
  expect(await ledger()).toMatchObject([{ waits_for: 'paid', waits_key: 'k1' }])
})

describe('a redrive', () => {
  test('continues after the last finished step', async () => {
    const { id } = await enqueueWork()
    await drain()
    shut = false
    expect((await post(`/runtime/tasks/${id}/redrive`)).status).toBe(200)
    await drain()
    expect(seen).toEqual(['fetch', 'ship', 'ship'])
  })

  test('from the start runs all of it again', async () => {
    const { id } = await enqueueWork()
    await enqueueWork()
    await drain()
    shut = false
    expect((await post(`/runtime/tasks/${id}/redrive?from=start`)).status).toBe(200)
    await drain()
    expect(seen).toEqual(['fetch', 'ship', 'fetch', 'ship', 'fetch', 'ship'])
    expect(await service.query('select name from runtime.steps')).toHaveLength(2 + 3) // the other task has kept its own
    await expectProblem(await post(`/runtime/tasks/${id}/redrive?from=start`), 409, 'RUNTIME_TASK_NOT_DEAD')
    expect(await service.query('select name from runtime.steps')).toHaveLength(5)
    await expectProblem(await post(`/runtime/tasks/${id}/redrive?from=middle`), 400, 'VALIDATION_FAILED')
  })
})

describe('a signal by hand', () => {
  test('wakes who waits, and is a line in the log', async () => {
    shut = false
    await enqueueWork()
    await drain({ until: '4d' })
    const body = { task: work.name, name: 'paid', key: 'k1', payload: { amount: 5 } }
    expect(await expectJson(await signal(body))).toEqual({ accepted: true })
    expect(await expectJson(await signal(body))).toEqual({ accepted: false })
    await drain()
    expect(seen.at(-1)).toBe('paid 5')
    expect(service.lines.map(({ message }) => message)).toContain('olga: signal of paid (k1) to trial.work')
  })

  test('must be one that the task has, with a payload that it takes', async () => {
    const body = { task: work.name, name: 'paid', key: 'k1', payload: { amount: 5 } }
    for (const wrong of [{ name: 'refunded' }, { task: 'trial.other' }, { name: 'toString' }])
      await expectProblem(await signal({ ...body, ...wrong }), 404, 'RUNTIME_SIGNAL_NOT_FOUND')
    const problem = await expectProblem(
      await signal({ ...body, payload: { amount: 'x' } }),
      400,
      'VALIDATION_FAILED',
    )
    expect(problem.detail).toMatch(/^payload\.amount: /)
    await expectProblem(await signal({ ...body, payload: undefined }), 400, 'VALIDATION_FAILED')
  })
})

describe('the kit', () => {
  test('interrupt cuts an attempt off after a step, and the next one continues', async () => {
    shut = false
    await enqueueWork()
    service.interrupt(work, { after: 'fetch' })
    await drain({ until: '1m' })
    await service.expectSteps(work, ['fetch', 'ship'])
    expect(seen).toEqual(['fetch', 'ship'])
  })

  test('interrupt cuts an attempt off before a result is stored: the step runs again', async () => {
    shut = false
    await enqueueWork()
    service.interrupt(work, { during: 'fetch' })
    await drain({ until: '1m' })
    expect(seen).toEqual(['fetch', 'fetch', 'ship'])
  })

  test('expectSteps fails if others are finished', async () => {
    await enqueueWork()
    await drain()
    await expect(service.expectSteps(work, ['fetch', 'ship'])).rejects.toThrow()
  })
})
