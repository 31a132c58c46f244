import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ReadinessChecks } from '#src/runtime/http/readiness.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const error = vi.fn()
const fine = async () => {}
const down = () => Promise.reject(new Error('The warehouse at 10.0.0.7 refuses the password'))

beforeEach(() => void error.mockClear())
afterEach(() => void vi.useRealTimers())

/** A service whose database is beyond doubt, unless a check by that name says otherwise. */
function serviceWith(readiness: ReadinessChecks) {
  const checks = { database: fine, ...readiness }
  return testService({ databaseUrl: noDatabase, features: [], readiness: checks, reporter: { error } })
}

test('a service whose database answers is ready', async () => {
  const { api } = await testService({ features: [] })
  const response = await api('/ready')
  expect(await expectJson(response)).toEqual({ status: 'ok', checks: { database: 'ok' } })
})

test('a service whose database does not answer is not, and says when to ask again', async () => {
  const { api, lines } = await testService({ databaseUrl: noDatabase, features: [] })
  const response = await api('/ready')
  expect(response.headers.get('retry-after')).toBe('5')
  const { detail } = await expectProblem(response, 503, 'NOT_READY')
  expect(detail).toBe('Not ready: database.')
  expect(lines[0]).toMatchObject({ severity: 'ERROR', stack_trace: expect.stringContaining('ECONNREFUSED') })
})

describe('a check of the fork’s own', () => {
  test('is named beside the database where it answers', async () => {
    const { api } = await serviceWith({ warehouse: fine, bank: async () => 'whatever it says' })
    const checks = { database: 'ok', warehouse: 'ok', bank: 'ok' }
    expect(await expectJson(await api('/ready'))).toEqual({ status: 'ok', checks })
  })

  test.each<[string, ReadinessChecks[string]]>([
    ['rejects', down],
    [
      'throws',
      () => {
        throw new Error('The warehouse at 10.0.0.7 refuses the password')
      },
    ],
  ])('that %s is named, and why only in the log', async (_how, warehouse) => {
    const { api, lines } = await serviceWith({ warehouse, bank: fine })
    const problem = await expectProblem(await api('/ready'), 503, 'NOT_READY')
    expect(problem.detail).toBe('Not ready: warehouse.')
    expect(JSON.stringify(problem)).not.toContain('10.0.0.7')
    expect(lines[0]).toMatchObject({
      ...{ severity: 'ERROR', message: 'The service is not ready', code: 'NOT_READY' },
      stack_trace: expect.stringContaining('10.0.0.7'),
    })
    expect(error).toHaveBeenCalledTimes(1)
  })

  test('does not hide another: all that fail are named, and logged', async () => {
    const bank = () => Promise.reject(new Error('The bank is closed'))
    const { api, lines } = await serviceWith({ warehouse: down, shop: fine, bank })
    const { detail } = await expectProblem(await api('/ready'), 503, 'NOT_READY')
    expect(detail).toBe('Not ready: warehouse, bank.')
    const log = JSON.stringify(lines)
    expect(log).toContain('10.0.0.7')
    expect(log).toContain('The bank is closed')
  })

  test('runs again at each request', async () => {
    let open = false
    const { api } = await serviceWith({ shop: () => (open ? fine() : down()) })
    expect((await api('/ready')).status).toBe(503)
    open = true
    expect((await api('/ready')).status).toBe(200)
  })

  test('that hangs is given five seconds, beside the others, and its signal aborts', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const started = Promise.withResolvers<AbortSignal>()
    const { api } = await serviceWith({
      warehouse: () => new Promise(() => {}),
      bank: (signal) => {
        started.resolve(signal)
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        )
      },
    })
    const asked = api('/ready')
    const signal = await started.promise
    await vi.advanceTimersByTimeAsync(4999)
    expect(signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(signal.aborted).toBe(true)
    const { detail } = await expectProblem(await asked, 503, 'NOT_READY')
    expect(detail).toBe('Not ready: warehouse, bank.')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that is done has its signal aborted, so that nothing of it goes on', async () => {
    let seen: AbortSignal | undefined
    const { api } = await serviceWith({
      shop: async (signal) => {
        seen = signal
      },
    })
    await expectJson(await api('/ready'))
    expect(seen?.aborted).toBe(true)
  })
})

test('/ping says that the process is alive, whatever else is not', async () => {
  const { api } = await serviceWith({ database: down, warehouse: down })
  expect(await expectJson(await api('/ping'))).toEqual({ status: 'ok' })
})
