import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { testService } from '#test/support/service.ts'
import { type Work, workFeature, write, written } from '#test/support/work.ts'

const databaseUrl = await makeDatabase()
let calls = 0
let gate = Promise.withResolvers<void>()
let entered = Promise.withResolvers<void>()

/** What a request tells its handler to do. */
interface Told {
  readonly name: string
  readonly end?: 'succeed' | 'throw' | 'refuse'
  /** Turns of the database that the handler takes with its transaction open. */
  readonly turns?: number
  /** Whether it waits at the gate. */
  readonly waits?: boolean
}

const work: Work = async (c) => {
  const call = ++calls
  const { name, waits } = await c.req.json<Told>()
  await write(c.var.tx, name)
  if (waits) {
    entered.resolve()
    await gate.promise
  }
  for (let turn = 0; turn < Number(c.req.header('x-turns')); turn++) await c.var.tx.execute(sql`select 1`)
  const end = c.req.header('x-end')
  if (end === 'throw') throw new Error('The work failed')
  return end === 'refuse' ? c.json({ call }, 404) : c.json({ call, name }, 201)
}
const options = { databaseUrl, features: [workFeature(() => work)], environment: { LOG_LEVEL: 'silent' } }
const service = await testService(options)
const pool = service.database.$client
const callers = { alice: await service.as('alice'), bob: await service.as('bob') }

function ask({ name, waits, end = 'succeed', turns = 0 }: Told, { api = callers.alice, key = name } = {}) {
  // the end and the turns are no part of the request's fingerprint
  const headers = { 'Idempotency-Key': key, 'X-Turns': String(turns), 'X-End': end }
  return api('/work', { json: { name, waits }, headers })
}

async function timesWritten(name: string): Promise<number> {
  return (await written(databaseUrl)).filter((text) => text === name).length
}

beforeEach(() => {
  gate = Promise.withResolvers()
  entered = Promise.withResolvers()
})

describe('while the first request is still running', () => {
  /** Starts the first request with this key, and returns when it is inside its handler. */
  async function start(name: string): Promise<{ first: Promise<Response> }> {
    const first = ask({ name, waits: true })
    await entered.promise
    return { first }
  }

  test('the same request gets 409 at once', async () => {
    const { first } = await start('running')
    for (let attempt = 0; attempt < 3; attempt++) {
      const second = await ask({ name: 'running', waits: true })
      expect(second.headers.get('retry-after')).toBe('1')
      expect(second.headers.get('idempotency-replayed')).toBeNull()
      await expectProblem(second, 409, 'IDEMPOTENCY_KEY_IN_USE')
    }
    gate.resolve()
    const done = await expectJson(await first, 201)
    const replayed = await ask({ name: 'running', waits: true })
    expect(replayed.headers.get('idempotency-replayed')).toBe('true')
    expect(await expectJson(replayed, 201)).toEqual(done)
    expect(await timesWritten('running')).toBe(1)
  })

  test('another request with its key gets 409, and 422 once the first is done', async () => {
    const { first } = await start('other')
    await expectProblem(await ask({ name: 'else' }, { key: 'other' }), 409, 'IDEMPOTENCY_KEY_IN_USE')
    gate.resolve()
    await expectJson(await first, 201)
    await expectProblem(await ask({ name: 'else' }, { key: 'other' }), 422, 'IDEMPOTENCY_KEY_REUSED')
  })

  test('the same request to another instance of the service gets 409', async () => {
    const api = await (await testService(options)).as('alice')
    const { first } = await start('instances')
    const second = () => ask({ name: 'instances', waits: true }, { api })
    await expectProblem(await second(), 409, 'IDEMPOTENCY_KEY_IN_USE')
    gate.resolve()
    await expectJson(await first, 201)
    const replayed = await second()
    expect(replayed.headers.get('idempotency-replayed')).toBe('true')
    await expectJson(replayed, 201)
  })

  test('another key, another caller, and no key at all do not wait for it', async () => {
    const { first } = await start('held')
    await expectJson(await ask({ name: 'free' }, { key: 'another' }), 201)
    await expectJson(await ask({ name: 'free' }, { api: callers.bob, key: 'held' }), 201)
    await expectJson(await callers.alice('/work', { json: { name: 'free' } }), 201)
    gate.resolve()
    await expectJson(await first, 201)
  })

  test('its key stays in use until it fails, and is free after that', async () => {
    const { first } = await start('fails')
    await expectProblem(await ask({ name: 'fails' }), 409, 'IDEMPOTENCY_KEY_IN_USE')
    gate.reject(new Error('The work failed'))
    await expectProblem(await first, 500, 'INTERNAL')
    const next = await ask({ name: 'fails' })
    expect(next.headers.get('idempotency-replayed')).toBeNull()
    await expectJson(next, 201)
    expect(await timesWritten('fails')).toBe(1)
  })

  test('those who are refused leave no connection behind', async () => {
    const { first } = await start('pool')
    await Promise.all(Array.from({ length: 30 }, async () => (await ask({ name: 'pool' })).text()))
    expect(pool.totalCount - pool.idleCount).toBe(1)
    gate.resolve()
    await expectJson(await first, 201)
    expect(pool.idleCount).toBe(pool.totalCount)
    expect(pool.waitingCount).toBe(0)
  })
})

interface Try extends Told {
  readonly caller: keyof typeof callers
  readonly key: string
  readonly body: string
  readonly end: 'succeed' | 'throw' | 'refuse'
}

interface Outcome extends Try {
  readonly status: number
  readonly replayed: boolean
  readonly text: string
}

async function attempt(run: number, one: Try): Promise<Outcome> {
  const { caller, key, end, turns } = one
  const told = { name: `${run} ${one.name}`, end, ...(turns && { turns }) }
  const response = await ask(told, { api: callers[caller], key: `${run}-${key}` })
  const replayed = response.headers.get('idempotency-replayed') === 'true'
  return { ...one, status: response.status, replayed, text: await response.text() }
}

const tries: fc.Arbitrary<Try> = fc
  .record({
    caller: fc.constantFrom('alice' as const, 'bob' as const),
    key: fc.constantFrom('k1', 'k2'),
    body: fc.constantFrom('a', 'b'),
    end: fc.constantFrom('succeed' as const, 'succeed' as const, 'throw' as const, 'refuse' as const),
    turns: fc.nat(4),
  })
  .map((one) => ({ ...one, name: `${one.caller} ${one.key} ${one.body}` }))

/** What is stored for each caller's key: the body of the request that was done, and its response. */
type Model = Map<string, { body: string; text: string }>

/** Checks what a batch of concurrent requests may have met, and takes into the model what was stored. */
function check(model: Model, batch: Outcome[]): void {
  const places = Map.groupBy(batch, ({ caller, key }) => `${caller} ${key}`)
  for (const [place, outcomes] of places) {
    const first = outcomes.filter(({ status, replayed }) => status === 201 && !replayed)
    const known = model.get(place)
    expect(first.length).toBeLessThanOrEqual(known ? 0 : 1)
    const [winner] = first
    if (winner) model.set(place, { body: winner.body, text: winner.text })
    const stored = model.get(place)
    const busy = outcomes.length > 1 // a key is in use only while another request has it
    for (const { body, end, status, replayed, text } of outcomes) {
      if (replayed) {
        expect({ status, body, text }).toEqual({ status: 201, ...stored })
        continue
      }
      const ran = { succeed: 201, throw: 500, refuse: 404 }[end]
      const allowed = [
        ...(known ? [] : [ran]), // once something is stored nobody runs
        ...(busy ? [409] : []),
        ...(stored && stored.body !== body ? [422] : []),
      ]
      expect(allowed).toContain(status)
    }
  }
}

test('whatever the callers, keys, bodies, failures and turns: each key is done once', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(tries, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 }),
      async (batches) => {
        const model: Model = new Map()
        const number = ++run
        for (const batch of batches) check(model, await Promise.all(batch.map((one) => attempt(number, one))))
        const names = [...model].map(([place, { body }]) => `${number} ${place} ${body}`)
        const rows = await written(databaseUrl)
        expect(rows.filter((name) => name.startsWith(`${number} `)).sort()).toEqual(names.sort())
        expect(pool.idleCount).toBe(pool.totalCount)
      },
    ),
    { numRuns: 60 },
  )
})

test('of 50 at once with one key one is done; each other gets its response, or 409', async () => {
  const one: Try = { name: 'once', caller: 'alice', key: 'k', body: 'once', end: 'succeed', turns: 3 }
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => attempt(0, one)))
  const done = outcomes.filter(({ status, replayed }) => status === 201 && !replayed)
  expect(done).toHaveLength(1)
  for (const { status, replayed, text } of outcomes) {
    if (replayed) expect(text).toBe(done[0]?.text)
    else if (text !== done[0]?.text) expect(status).toBe(409)
  }
  expect(await timesWritten('0 once')).toBe(1)
})

test('clients that retry on 409 all end with the one response', async () => {
  const responses = await Promise.all(
    Array.from({ length: 20 }, async () => {
      for (;;) {
        const response = await ask({ name: 'insistent', turns: 5 })
        if (response.status !== 409) return expectJson(response, 201)
        await response.text()
      }
    }),
  )
  for (const response of responses) expect(response).toEqual(responses[0])
  expect(await timesWritten('insistent')).toBe(1)
})
