import { sql } from 'drizzle-orm'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Problem, problems } from '#src/runtime/kernel/problem.ts'
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
const api = await service.as('alice')

/** Sends the same request with this key, or with none. */
const work = (key?: string) =>
  api('/work', { json: {}, ...(key !== undefined && { headers: { 'Idempotency-Key': key } }) })

/** Expects that nothing is left of requests that failed, and that the next one does the work. */
async function expectNothing(item: string, key?: string): Promise<void> {
  expect(await written(databaseUrl)).not.toContain(item)
  expect(await storedKeys(databaseUrl)).not.toContain(key)
  handler = async (c) => {
    await write(c.var.tx, item)
    return c.json({ item }, 201)
  }
  const next = await work(key)
  expect(next.headers.get('idempotency-replayed')).toBeNull()
  await expectJson(next, 201)
  expect((await written(databaseUrl)).filter((text) => text === item)).toHaveLength(1)
}

afterEach(() => {
  vi.useRealTimers()
  expect(pool.idleCount).toBe(pool.totalCount)
})

interface Failure {
  readonly what: string
  readonly status: number
  /** What the handler does after it has written. */
  readonly fail: Work
}

describe.each<Failure>([
  { what: 'responds with 404', status: 404, fail: async (c) => c.json({}, 404) },
  { what: 'responds with 409', status: 409, fail: async (c) => c.json({}, 409) },
  { what: 'responds with 500', status: 500, fail: async (c) => c.json({}, 500) },
  {
    what: 'responds with what its route does not state',
    status: 500,
    fail: async () => new Response('{}', { status: 206 }),
  },
  { what: 'throws a problem', status: 404, fail: () => Promise.reject(new Problem(problems.NOT_FOUND)) },
  { what: 'throws an error', status: 500, fail: () => Promise.reject(new Error('The work failed')) },
  { what: 'throws what is no error', status: 500, fail: () => Promise.reject('stop') },
  {
    what: 'breaks a rule of the database',
    status: 500,
    async fail(c) {
      await c.var.tx.execute(sql`update test_notes set pages = 0`)
      return c.json({}, 201)
    },
  },
  {
    what: 'goes on after a statement that failed',
    status: 500,
    async fail(c) {
      await c.var.tx.execute(sql`select 1/0`).catch(() => {})
      return c.json({}, 201)
    },
  },
])('a handler that writes and then $what', ({ what, status, fail }) => {
  test.each([
    { how: 'without a key', key: undefined },
    { how: 'with a key', key: what.replaceAll(' ', '-') },
  ])('$how leaves no row and no key, and the key is free', async ({ how, key }) => {
    const item = `${what} ${how}`
    handler = async (c) => {
      await write(c.var.tx, item)
      return fail(c)
    }
    for (let time = 0; time < 2; time++) {
      const response = await work(key)
      expect(response.status).toBe(status)
      expect(response.headers.get('idempotency-replayed')).toBeNull()
      await response.text()
    }
    await expectNothing(item, key)
  })
})

test('a part of the work that fails may be undone alone: the rest and the key are kept', async () => {
  handler = async (c) => {
    await write(c.var.tx, 'outer')
    const inner = c.var.tx.transaction(async (tx) => {
      await write(tx, 'inner')
      await tx.execute(sql`select 1/0`)
    })
    await inner.catch(() => {})
    return c.json({}, 201)
  }
  await expectJson(await work('savepoint'), 201)
  expect(await written(databaseUrl)).toContain('outer')
  expect(await written(databaseUrl)).not.toContain('inner')
  expect(await storedKeys(databaseUrl)).toContain('savepoint')
})

describe('what a handler writes that goes on', () => {
  /** A handler that writes, waits for `goOn`, and does not look whether anybody still waits for it. */
  function stubborn(item: string) {
    const entered = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    handler = async (c) => {
      await write(c.var.tx, item)
      entered.resolve()
      await gate.promise
      await write(c.var.tx, item)
      return c.json({ item }, 201)
    }
    return { entered: entered.promise, goOn: gate.resolve }
  }

  /** Resolves when no request holds a connection any more. */
  async function poolAtRest(): Promise<void> {
    while (pool.idleCount < pool.totalCount) await service.database.execute(sql`select 1`)
  }

  test('after its deadline is rolled back', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { entered, goOn } = stubborn('late')
    const response = work('late')
    await entered
    await vi.advanceTimersByTimeAsync(60_000)
    await expectProblem(await response, 503, 'DEADLINE_EXCEEDED')
    await expectProblem(await work('late'), 409, 'IDEMPOTENCY_KEY_IN_USE')
    goOn()
    await poolAtRest()
    await expectNothing('late', 'late')
  })

  test('for a client that has left is rolled back', async () => {
    const { entered, goOn } = stubborn('left')
    const client = new AbortController()
    const headers = {
      ...(await as('alice')),
      ...{ 'Content-Type': 'application/json', 'Idempotency-Key': 'left' },
    }
    const request = { method: 'POST', body: '{}', headers, signal: client.signal }
    const response = service.app.fetch(new Request('http://localhost/work', request))
    await entered
    client.abort()
    goOn()
    expect((await response).status).toBe(499)
    await poolAtRest()
    await expectNothing('left', 'left')
  })
})
