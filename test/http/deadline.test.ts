import { z } from '@hono/zod-openapi'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const done = { done: true }

/** What the handler does when its signal aborts. */
let onAbort: (reason: unknown) => unknown = () => new Promise(() => {})
let started = Promise.withResolvers<AbortSignal>()

const route = defineRoute({
  method: 'get',
  path: '/slow',
  operationId: 'slow',
  summary: 'Work until its signal ends it',
  security: 'public',
  responses: { 200: json('Done', z.object({ done: z.boolean() })) },
})
const slow = handle(route, async (c) => {
  const { signal } = c.var
  started.resolve(signal)
  await new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => {
      try {
        resolve(onAbort(signal.reason))
      } catch (error) {
        reject(error)
      }
    })
    signal.addEventListener('finish', resolve)
  })
  return c.json(done, 200)
})

const error = vi.fn()
const { api, lines } = await testService({
  databaseUrl: noDatabase,
  environment: { REQUEST_TIMEOUT: '1' },
  features: [featureOf(slow)],
  reporter: { error },
})

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  started = Promise.withResolvers()
  lines.length = 0
  error.mockClear()
})
afterEach(() => void vi.useRealTimers())

test.each<[string, (reason: unknown) => unknown]>([
  ['ignores its signal', () => new Promise(() => {})],
  ['answers after all', () => undefined],
  [
    'throws an error of its own',
    () => {
      throw new Error('The warehouse call was aborted')
    },
  ],
  ['throws the signal’s reason', (reason) => Promise.reject(reason)],
  ['throws something that is no error', () => Promise.reject('stopped')],
  [
    'throws later, when the answer is on its way',
    async () => {
      for (let turn = 0; turn < 20; turn++) await undefined
      throw new Error('The warehouse call was aborted')
    },
  ],
])('a handler that %s gets 503 shortly before the request timeout, once', async (_what, behaviour) => {
  onAbort = behaviour
  const asked = api('/slow')
  const signal = await started.promise
  await vi.advanceTimersByTimeAsync(899)
  expect(signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(signal.aborted).toBe(true)

  const response = await asked
  expect(response.headers.get('retry-after')).toBe('1')
  await expectProblem(response, 503, 'DEADLINE_EXCEEDED')
  expect(lines.filter(({ httpRequest }) => httpRequest)).toEqual([
    expect.objectContaining({ severity: 'ERROR', message: 'GET /slow 503' }),
  ])
  expect(error).toHaveBeenCalledTimes(1)
  expect(error.mock.calls[0]?.[1]).toMatchObject({ status: 503, path: '/slow' })
})

test('an answer in time has no deadline any more', async () => {
  const asked = api('/slow')
  const signal = await started.promise
  signal.dispatchEvent(new Event('finish'))
  expect(await expectJson(await asked)).toEqual(done)
  expect(vi.getTimerCount()).toBe(0)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(signal.aborted).toBe(false)
})

test('a signal that aborted says why', async () => {
  onAbort = () => undefined
  const asked = api('/slow')
  const signal = await started.promise
  await vi.advanceTimersByTimeAsync(900)
  await asked
  expect(signal.reason).toMatchObject({ name: 'Problem', message: 'The request took too long' })
})

test('a long timeout leaves five seconds for the way back', async () => {
  const environment = { REQUEST_TIMEOUT: '5m' }
  const { api } = await testService({ databaseUrl: noDatabase, environment, features: [featureOf(slow)] })
  const asked = api('/slow')
  const signal = await started.promise
  await vi.advanceTimersByTimeAsync(294_999)
  expect(signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  await expectProblem(await asked, 503, 'DEADLINE_EXCEEDED')
})
