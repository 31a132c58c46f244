import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { testService } from '#test/support/service.ts'
import { as } from '#test/support/tokens.ts'
import { storedKeys, type Work, workFeature, write, written } from '#test/support/work.ts'

const databaseUrl = await makeDatabase()
let handler: Work
const service = await testService({
  databaseUrl,
  features: [workFeature(() => handler)],
  environment: { REQUEST_TIMEOUT: '60' },
})
const pool = service.database.$client
const headers = await as('alice')
const api = await service.as('alice')

let entered = Promise.withResolvers<void>()
let gate = Promise.withResolvers<void>()

/** Writes, waits until the test lets it go on, ignores that nobody waits any more, and answers. */
const stubborn =
  (item: string): Work =>
  async (c) => {
    await write(c.var.tx, item)
    entered.resolve()
    await gate.promise
    await write(c.var.tx, item)
    return c.json({ item }, 201)
  }

const work = (key: string) => api('/work', { json: {}, headers: { 'Idempotency-Key': key } })

/** Resolves when no request holds a connection any more. */
async function poolAtRest(): Promise<void> {
  while (pool.idleCount < pool.totalCount) await service.database.execute(sql`select 1`)
}

beforeEach(() => {
  entered = Promise.withResolvers()
  gate = Promise.withResolvers()
})
afterEach(() => void vi.useRealTimers())

test('what a handler writes although its deadline has passed is rolled back, and its key is free', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  handler = stubborn('late')
  const answer = work('late')
  await entered.promise
  await vi.advanceTimersByTimeAsync(60_000)
  await expectProblem(await answer, 503, 'DEADLINE_EXCEEDED')
  await expectProblem(await work('late'), 409, 'IDEMPOTENCY_KEY_IN_USE')
  gate.resolve()
  await poolAtRest()
  expect(await written(databaseUrl)).not.toContain('late')
  expect(await storedKeys(databaseUrl)).not.toContain('late')

  const retried = await work('late')
  expect(retried.headers.get('idempotency-replayed')).toBeNull()
  await expectJson(retried, 201)
  expect((await written(databaseUrl)).filter((item) => item === 'late')).toHaveLength(2)
})

test('what a handler writes for a client that has left is rolled back, and its key is free', async () => {
  handler = stubborn('left')
  const client = new AbortController()
  const request = new Request('http://localhost/work', {
    method: 'POST',
    body: '{}',
    headers: { ...headers, 'Content-Type': 'application/json', 'Idempotency-Key': 'left' },
    signal: client.signal,
  })
  const answer = service.app.fetch(request)
  await entered.promise
  client.abort()
  gate.resolve()
  expect((await answer).status).toBe(499)
  await poolAtRest()
  expect(await written(databaseUrl)).not.toContain('left')
  expect(await storedKeys(databaseUrl)).not.toContain('left')

  await expectJson(await work('left'), 201)
  expect((await written(databaseUrl)).filter((item) => item === 'left')).toHaveLength(2)
})
