import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { type Attempt, defineTask } from '#src/runtime/tasks/task.ts'
import { expectJson } from '#test/support/expect.ts'
import { trial } from './trial.ts'

let begin = (_attempt: Attempt) => {}
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  deadline: '60s',
  async run(attempt) {
    const { promise, reject } = Promise.withResolvers<void>()
    attempt.signal.addEventListener('abort', () => reject(attempt.signal.reason))
    begin(attempt)
    await promise
  },
})
const service = await trial({ tasks: [work] })
const { request, ledger } = service
const olga = await service.as('olga', ['runtime:admin'])

beforeEach(() => service.clear())
afterEach(() => void vi.useRealTimers())

/** Begins an attempt that goes on until its signal aborts, on timers that tests move. */
async function start() {
  const { id } = await request((tx) => enqueue(tx, work, {}))
  const begun = Promise.withResolvers<Attempt>()
  begin = begun.resolve
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const answer = service.callback({ name: work.name, id, dispatch: 1 })
  const { signal } = await begun.promise
  return { id, signal, answer: answer.then((response) => expectJson(response)) }
}

/** Resolves when the lease lasts until this long from now. */
async function renewed(milliseconds: number): Promise<void> {
  for (;;) {
    const [row] = await ledger()
    if (Number(row?.leased_until) === service.emulator.now() + milliseconds) return
  }
}

/** Lets so many renewals pass. */
async function pass(renewals: number): Promise<void> {
  for (let count = 0; count < renewals; count++) {
    await service.advance('10s')
    await vi.advanceTimersByTimeAsync(10_000)
    await renewed(30_000)
  }
}

test('an attempt may take as long as its task says, and no longer', async () => {
  const { signal, answer: response } = await start()
  await pass(5)
  await vi.advanceTimersByTimeAsync(9999)
  expect(signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(signal.reason).toMatchObject({ message: 'The attempt took longer than its 60 s' })
  expect(await response).toEqual({ outcome: 'retrying' })
})

test('its lease of 30 s is renewed every 10 s, and nobody else gets the task', async () => {
  const { id, answer: response } = await start()
  await renewed(30_000)
  for (let renewals = 0; renewals < 5; renewals++) {
    await pass(1)
    expect((await service.callback({ name: work.name, id, dispatch: 1 })).status).toBe(409)
  }
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await response).toEqual({ outcome: 'retrying' })
})

test('when an operator cancels it, the signal aborts at the next renewal, and nothing is written', async () => {
  const { id, signal, answer: response } = await start()
  await expectJson(await olga(`/runtime/tasks/${id}/cancel`, { method: 'POST' }))
  expect(signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await response).toEqual({ outcome: 'ignored' })
  expect(signal.reason).toMatchObject({ message: 'The task was cancelled, or another process has taken it' })
  expect(await ledger()).toMatchObject([{ state: 'cancelled', last_error: null }])
})

test('one renewal that fails harms nothing', async () => {
  const { signal, answer: response } = await start()
  const update = vi.spyOn(service.database, 'update').mockImplementationOnce(() => {
    throw new Error('gone')
  })
  await service.advance('10s')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(update).toHaveBeenCalledTimes(1)
  update.mockRestore()
  await pass(4)
  expect(signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await response).toEqual({ outcome: 'retrying' })
})

test('a lease counts from when its renewal was sent, not from when the database responded', async () => {
  const { signal, answer: response } = await start()
  const refused = expect(response).rejects.toThrow() // 409: the lease is nobody's to give back
  const slow = Promise.withResolvers<{ rowCount: number }>()
  const update = vi.spyOn(service.database, 'update').mockImplementation(() => {
    throw new Error('gone')
  })
  update.mockImplementationOnce(() => ({ set: () => ({ where: () => slow.promise }) }) as never)
  await vi.advanceTimersByTimeAsync(18_000)
  slow.resolve({ rowCount: 1 }) // sent after 10 s
  await vi.advanceTimersByTimeAsync(21_999)
  expect(signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(signal.reason).toMatchObject({ message: 'The lease expired: the database did not respond' })
  update.mockRestore()
  await refused
})
