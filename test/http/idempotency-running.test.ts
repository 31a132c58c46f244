import { beforeEach, expect, test } from 'vitest'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { testService } from '#test/support/service.ts'
import { type Work, workFeature, write, written } from '#test/support/work.ts'

const databaseUrl = await makeDatabase()
let gate = Promise.withResolvers<void>()
let entered = Promise.withResolvers<void>()

/** Writes, then waits at the gate with its transaction open. */
const waitAtGate: Work = async (c) => {
  const { name, waits } = await c.req.json()
  await write(c.var.tx, name)
  if (waits) {
    entered.resolve()
    await gate.promise
  }
  return c.json({ name }, 201)
}
const features = [workFeature(() => waitAtGate)]
const service = await testService({ databaseUrl, features })
const alice = await service.as('alice')

function work(name: string, { api = alice, key = name, waits = false } = {}) {
  return api('/work', { json: { name, waits }, headers: { 'Idempotency-Key': key } })
}

/** Starts the first request with this key, and returns when it is inside its handler. */
async function begin(name: string): Promise<{ first: Promise<Response> }> {
  const first = work(name, { waits: true })
  await entered.promise
  return { first }
}

beforeEach(() => {
  gate = Promise.withResolvers()
  entered = Promise.withResolvers()
})

test('while the first is still running, the same request gets 409 at once', async () => {
  const { first } = await begin('running')
  for (let attempt = 0; attempt < 3; attempt++) {
    const again = await work('running', { waits: true })
    expect(again.headers.get('retry-after')).toBe('1')
    expect(again.headers.get('idempotency-replayed')).toBeNull()
    await expectProblem(again, 409, 'IDEMPOTENCY_KEY_IN_USE')
  }
  gate.resolve()
  const answer = await expectJson(await first, 201)
  const replayed = await work('running', { waits: true })
  expect(replayed.headers.get('idempotency-replayed')).toBe('true')
  expect(await expectJson(replayed, 201)).toEqual(answer)
  expect((await written(databaseUrl)).filter((item) => item === 'running')).toHaveLength(1)
})

test('so does another request with the key: that it is another is only known once the first is done', async () => {
  const { first } = await begin('other')
  await expectProblem(await work('else', { key: 'other' }), 409, 'IDEMPOTENCY_KEY_IN_USE')
  gate.resolve()
  await expectJson(await first, 201)
  await expectProblem(await work('else', { key: 'other' }), 422, 'IDEMPOTENCY_KEY_REUSED')
})

test('so does a request that another instance of the service gets', async () => {
  const second = await (await testService({ databaseUrl, features })).as('alice')
  const { first } = await begin('instances')
  await expectProblem(await work('instances', { api: second, waits: true }), 409, 'IDEMPOTENCY_KEY_IN_USE')
  gate.resolve()
  await expectJson(await first, 201)
  const again = await work('instances', { api: second, waits: true })
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  await expectJson(again, 201)
})

test('another key, another caller, and no key at all are not held up', async () => {
  const { first } = await begin('held')
  await expectJson(await work('free', { key: 'another' }), 201)
  await expectJson(await work('free', { api: await service.as('bob'), key: 'held' }), 201)
  await expectJson(await alice('/work', { json: { name: 'free' } }), 201)
  gate.resolve()
  await expectJson(await first, 201)
})

test('when the first fails, the next with its key is the first', async () => {
  const { first } = await begin('fails')
  await expectProblem(await work('fails'), 409, 'IDEMPOTENCY_KEY_IN_USE')
  gate.reject(new Error('The work failed'))
  await expectProblem(await first, 500, 'INTERNAL')
  const next = await work('fails')
  expect(next.headers.get('idempotency-replayed')).toBeNull()
  await expectJson(next, 201)
  expect((await written(databaseUrl)).filter((item) => item === 'fails')).toHaveLength(1)
})

test('those who were refused have left no connection behind', async () => {
  const pool = service.database.$client
  const { first } = await begin('pool')
  await Promise.all(Array.from({ length: 30 }, async () => (await work('pool')).text()))
  expect(pool.totalCount - pool.idleCount).toBe(1)
  gate.resolve()
  await expectJson(await first, 201)
  expect(pool.idleCount).toBe(pool.totalCount)
  expect(pool.waitingCount).toBe(0)
})
