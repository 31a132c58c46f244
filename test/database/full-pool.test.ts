import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { testService } from '#test/support/service.ts'
import { type Work, workFeature } from '#test/support/work.ts'

const databaseUrl = await makeDatabase()
let entered = Promise.withResolvers<void>()
let gate = Promise.withResolvers<void>()

/** Holds its connection until the test lets it go. */
const hold: Work = async (c) => {
  entered.resolve()
  await gate.promise
  return c.json({}, 201)
}
const { database, as, api } = await testService({
  databaseUrl,
  features: [workFeature(() => hold)],
  environment: { DATABASE_POOL: '1' },
})
const pool = database.$client
const alice = await as('alice')
const work = () => alice('/work', { json: {} })

/** Resolves when this many requests wait for a connection. */
async function queued(count: number): Promise<void> {
  while (pool.waitingCount < count) await nextTurn()
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  entered = Promise.withResolvers()
  gate = Promise.withResolvers()
})
afterEach(() => {
  vi.useRealTimers()
  expect({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }).toEqual({
    total: 1,
    idle: 1,
    waiting: 0,
  })
})

test('a request that gets no connection within 3 s is a 503 that says when to come back', async () => {
  const held = work()
  await entered.promise
  const waiting = [work(), work()]
  await queued(2)
  await vi.advanceTimersByTimeAsync(2_999)
  expect(pool.waitingCount).toBe(2)
  await vi.advanceTimersByTimeAsync(1)
  for (const response of await Promise.all(waiting)) {
    expect(response.headers.get('retry-after')).toBe('1')
    await expectProblem(response, 503, 'OVERLOADED')
  }
  gate.resolve()
  await expectJson(await held, 201)
  expect(vi.getTimerCount()).toBe(0)
})

test('a request that waits its turn gets it', async () => {
  const held = work()
  await entered.promise
  const waiting = Array.from({ length: 10 }, work)
  gate.resolve()
  await expectJson(await held, 201)
  for (const response of await Promise.all(waiting)) await expectJson(response, 201)
  expect(vi.getTimerCount()).toBe(0)
})

test('a full pool makes the service not ready, and the check is over with its answer', async () => {
  const held = work()
  await entered.promise
  const timers = vi.getTimerCount()
  let waitingAtAnswer: number | undefined
  const ready = api('/ready').finally(() => {
    waitingAtAnswer = pool.waitingCount
  })
  await queued(1)
  await vi.advanceTimersByTimeAsync(3_000)
  await expectProblem(await ready, 503, 'NOT_READY')
  expect(waitingAtAnswer).toBe(0)
  expect(vi.getTimerCount()).toBe(timers)
  gate.resolve()
  await expectJson(await held, 201)
  await expectJson(await api('/ready'))
})

test('where requests may take a second only, half of it is for a connection', async () => {
  const short = await testService({
    databaseUrl,
    features: [workFeature(() => hold)],
    environment: { DATABASE_POOL: '1', REQUEST_TIMEOUT: '1' },
  })
  const bob = await short.as('bob')
  const held = bob('/work', { json: {} })
  await entered.promise
  const waiting = bob('/work', { json: {} })
  while (short.database.$client.waitingCount < 1) await nextTurn()
  await vi.advanceTimersByTimeAsync(500)
  await expectProblem(await waiting, 503, 'OVERLOADED')
  gate.resolve()
  await expectJson(await held, 201)
})
