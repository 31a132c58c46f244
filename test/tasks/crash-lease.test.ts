import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { exemptDatabase } from '#dev/guard/exempt.ts'
import { LeaseLostError } from '#src/runtime/tasks/lease.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { proxyDatabase } from '#test/support/proxy.ts'
import { killConnections } from '#test/support/session.ts'
import { type Direction, type StepAttempt, stepsFeature } from '#test/support/steps.ts'
import { taskService } from '#test/support/task-service.ts'
import { written } from '#test/support/work.ts'

// A lease is renewed every 10 s of real time, which these tests move.

let running: PromiseWithResolvers<StepAttempt>
let going: PromiseWithResolvers<Direction>
const { feature } = stepsFeature((attempt) => {
  running.resolve(attempt)
  return going.promise
})
const databaseUrl = await makeDatabase()
const proxy = await proxyDatabase(databaseUrl)
exemptDatabase(proxy.url)
const environment = { DATABASE_URL: proxy.url }
const service = await taskService({ features: [feature], databaseUrl, environment })
const operator = await service.as('operator', ['runtime:admin'])

beforeEach(() => {
  running = Promise.withResolvers()
  going = Promise.withResolvers()
})

afterEach(async () => {
  vi.useRealTimers()
  await onServer(databaseUrl, 'truncate runtime.tasks, runtime.steps, runtime.signals, test_notes')
  await service.drain({ until: '1h' }) // whatever Cloud Tasks still holds is stale
})

/** Has a step run on a clock that stands still. */
async function startRunning() {
  await operator('/steps', { json: { text: 'Tea' } })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const settled = service.emulator.settle()
  const { signal } = await running.promise
  const [row] = await service.ledger()
  return { settled, signal, id: row?.id ?? '' }
}

/** Moves all clocks. */
async function pass(seconds: number): Promise<void> {
  await service.advance(`${seconds}s`)
  await vi.advanceTimersByTimeAsync(seconds * 1000)
}

/** Moves all clocks, a second at a time, and expects that the lease holds all the while. */
async function passHeld(seconds: number): Promise<void> {
  const held = 'select from runtime.tasks where leased_until > runtime.service_now()'
  const pool = service.database.$client
  for (let second = 0; second < seconds; second++) {
    await pass(1)
    while (pool.idleCount < pool.totalCount) await onServer(databaseUrl, 'select') // a renewal is under way
    expect((await onServer(databaseUrl, held)).rowCount, `held after ${second + 1} s`).toBe(1)
  }
}

async function aborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  return signal.reason
}

test('a long run keeps its lease: nobody else gets its task, and it finishes', async () => {
  const { settled, signal } = await startRunning()
  await passHeld(45)
  expect(await service.tick()).toBe(200)
  expect(await service.ledger()).toMatchObject([{ state: 'running', dispatch: 1, attempts: 1 }])
  expect(signal.aborted).toBe(false)
  going.resolve('write')
  expect(await settled).toMatchObject([{ status: 200 }])
  expect(await service.ledger()).toMatchObject([{ state: 'done', attempts: 1, lease: null }])
  expect(await written(databaseUrl)).toEqual(['Tea'])
})

test('a renewal that finds the lease with someone else aborts the signal, and nothing is written', async () => {
  const { settled, signal } = await startRunning()
  await onServer(databaseUrl, 'update runtime.tasks set lease = gen_random_uuid()')
  const stolen = await service.ledger()
  await pass(10)
  expect(await aborted(signal)).toBeInstanceOf(LeaseLostError)
  expect(await settled).toMatchObject([{ status: 409 }])
  going.resolve('write')
  expect(await service.ledger()).toEqual(stolen)
  expect(await written(databaseUrl)).toEqual([])
})

test('an operator’s cancel aborts the signal with the next renewal, and nothing is written', async () => {
  const { settled, signal, id } = await startRunning()
  expect((await operator(`/runtime/tasks/${id}/cancel`, { method: 'POST' })).status).toBe(200)
  expect(signal.aborted).toBe(false)
  await pass(10)
  expect(await aborted(signal)).toBeInstanceOf(LeaseLostError)
  expect(await settled).toMatchObject([{ status: 200 }])
  going.resolve('write')
  expect(await service.ledger()).toMatchObject([{ state: 'cancelled', dispatch: 2 }])
  expect(await written(databaseUrl)).toEqual([])
})

test('a killed connection does not end the run: the next renewal goes by another one', async () => {
  const { settled, signal } = await startRunning()
  await killConnections(databaseUrl)
  await passHeld(35)
  expect(signal.aborted).toBe(false)
  going.resolve('write')
  expect(await settled).toMatchObject([{ status: 200 }])
  expect(await written(databaseUrl)).toEqual(['Tea'])
})

test('a database that does not answer until the lease has run out aborts the signal then', async () => {
  const { settled, signal } = await startRunning()
  const asked = Promise.withResolvers<void>()
  proxy.silence(() => asked.resolve())
  proxy.silenceNew()
  await pass(10)
  await asked.promise
  await pass(19)
  expect(signal.aborted).toBe(false)
  await pass(2)
  expect(signal.aborted).toBe(true)
  expect(signal.reason).toBeInstanceOf(LeaseLostError)
  proxy.speakNew()
  await vi.advanceTimersByTimeAsync(10_000)
  const [attempt] = await settled
  expect([409, 503]).toContain(attempt?.status)
})
