import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson } from '#test/support/expect.ts'
import { testService } from '#test/support/service.ts'
import { type Work, workFeature, write, written } from '#test/support/work.ts'

const databaseUrl = await makeDatabase()
let calls = 0

/** Writes once, takes as many turns as it is told, then succeeds or fails as it is told. */
const erratic: Work = async (c) => {
  const call = ++calls
  const { name } = await c.req.json()
  await write(c.var.tx, name)
  for (let turn = 0; turn < Number(c.req.header('x-turns')); turn++) await c.var.tx.execute(sql`select 1`)
  const end = c.req.header('x-end')
  if (end === 'throw') throw new Error('The work failed')
  return end === 'refuse' ? c.json({ call }, 404) : c.json({ call, name }, 201)
}
const service = await testService({
  databaseUrl,
  features: [workFeature(() => erratic)],
  environment: { LOG_LEVEL: 'silent' },
})
const pool = service.database.$client
const callers = { alice: await service.as('alice'), bob: await service.as('bob') }

interface Try {
  caller: keyof typeof callers
  key: string
  body: string
  end: 'succeed' | 'throw' | 'refuse'
  turns: number
}

interface Outcome extends Try {
  status: number
  replayed: boolean
  text: string
}

async function attempt(run: number, { caller, key, body, end, turns }: Try): Promise<Outcome> {
  const answer = await callers[caller]('/work', {
    json: { name: `${run} ${caller} ${key} ${body}` },
    headers: { 'Idempotency-Key': `${run}-${key}`, 'X-Turns': String(turns), 'X-End': end },
  })
  const replayed = answer.headers.get('idempotency-replayed') === 'true'
  return { caller, key, body, end, turns, status: answer.status, replayed, text: await answer.text() }
}

const tries: fc.Arbitrary<Try> = fc.record({
  caller: fc.constantFrom('alice' as const, 'bob' as const),
  key: fc.constantFrom('k1', 'k2'),
  body: fc.constantFrom('a', 'b'),
  end: fc.constantFrom('succeed' as const, 'succeed' as const, 'throw' as const, 'refuse' as const),
  turns: fc.nat(4),
})

/** What is stored for each caller's key: the body that was answered, and the answer. */
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

test('whatever the callers, keys, bodies, failures and turns: each key is done once, and answers alike', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(tries, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 }),
      async (batches) => {
        const model: Model = new Map()
        const number = ++run
        for (const batch of batches) {
          check(model, await Promise.all(batch.map((one) => attempt(number, one))))
        }
        const names = [...model].map(([place, { body }]) => `${number} ${place} ${body}`)
        const rows = await written(databaseUrl)
        expect(rows.filter((name) => name.startsWith(`${number} `)).sort()).toEqual(names.sort())
        expect(pool.idleCount).toBe(pool.totalCount)
      },
    ),
    { numRuns: 60 },
  )
})

test('of 50 at once with one key one is done; each other gets its answer, or 409', async () => {
  const one: Try = { caller: 'alice', key: 'k', body: 'once', end: 'succeed', turns: 3 }
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => attempt(0, one)))
  const done = outcomes.filter(({ status, replayed }) => status === 201 && !replayed)
  expect(done).toHaveLength(1)
  for (const { status, replayed, text } of outcomes) {
    if (replayed) expect(text).toBe(done[0]?.text)
    else if (text !== done[0]?.text) expect(status).toBe(409)
  }
  expect((await written(databaseUrl)).filter((name) => name === '0 alice k once')).toHaveLength(1)
})

test('clients that retry on 409 all end with the one answer', async () => {
  const json = { name: 'insistent' }
  const headers = { 'Idempotency-Key': 'insistent', 'X-Turns': '5', 'X-End': 'succeed' }
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      for (;;) {
        const answer = await callers.alice('/work', { json, headers })
        if (answer.status !== 409) return expectJson(answer, 201)
        await answer.text()
      }
    }),
  )
  for (const answer of answers) expect(answer).toEqual(answers[0])
  expect((await written(databaseUrl)).filter((name) => name === 'insistent')).toHaveLength(1)
})
