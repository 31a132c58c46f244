import { sql } from 'drizzle-orm'
import { afterEach, describe, expect, test } from 'vitest'
import { Problem, problems } from '#src/runtime/http/problem.ts'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson } from '#test/support/expect.ts'
import { testService } from '#test/support/service.ts'
import { storedKeys, type Work, workFeature, write, written } from '#test/support/work.ts'

const databaseUrl = await makeDatabase()
let handler: Work
const service = await testService({ databaseUrl, features: [workFeature(() => handler)] })
const pool = service.database.$client
const api = await service.as('alice')
const body = { json: {} }

/** Sends the same request with this key, or with none. */
const work = (key?: string) =>
  api('/work', { ...body, ...(key !== undefined && { headers: { 'Idempotency-Key': key } }) })

afterEach(() => {
  expect(pool.idleCount).toBe(pool.totalCount)
})

/** What a handler may do after it has written. */
const failures: [what: string, status: number, fail: Work][] = [
  ['answers 404', 404, async (c) => c.json({}, 404)],
  ['answers 409', 409, async (c) => c.json({}, 409)],
  ['answers 500', 500, async (c) => c.json({}, 500)],
  ['answers what its route does not state', 500, async () => new Response('{}', { status: 206 })],
  ['throws a problem', 404, () => Promise.reject(new Problem(problems.NOT_FOUND))],
  ['throws an error', 500, () => Promise.reject(new Error('The work failed'))],
  ['throws what is no error', 500, () => Promise.reject('stop')],
  [
    'breaks a rule of the database',
    500,
    async (c) => {
      await c.var.tx.execute(sql`update test_notes set pages = 0`)
      return c.json({}, 201)
    },
  ],
  [
    'goes on after a statement that failed',
    500,
    async (c) => {
      await c.var.tx.execute(sql`select 1/0`).catch(() => {})
      return c.json({}, 201)
    },
  ],
]

describe.each(failures)('a handler that writes and then %s', (what, status, fail) => {
  test.each(['without a key', 'with a key'])(
    '%s leaves no row and no key, and the key is free',
    async (how) => {
      const item = `${what} ${how}`
      const key = how === 'with a key' ? item.replaceAll(' ', '-') : undefined
      handler = async (c) => {
        await write(c.var.tx, item)
        return fail(c)
      }
      for (let time = 0; time < 2; time++) {
        const answer = await work(key)
        expect(answer.status).toBe(status)
        expect(answer.headers.get('idempotency-replayed')).toBeNull()
        await answer.text()
      }
      expect(await written(databaseUrl)).not.toContain(item)
      expect(await storedKeys(databaseUrl)).not.toContain(key)

      handler = async (c) => {
        await write(c.var.tx, item)
        return c.json({ item }, 201)
      }
      const next = await work(key)
      expect(next.headers.get('idempotency-replayed')).toBeNull()
      await expectJson(next, 201)
      expect(await written(databaseUrl)).toContain(item)
    },
  )
})

test.each([200, 201, 202] as const)('a %i is stored and replayed', async (status) => {
  handler = async (c) => c.json({ status }, status)
  const first = await expectJson(await work(`stored-${status}`), status)
  handler = async () => Promise.reject(new Error('The handler ran again'))
  const again = await work(`stored-${status}`)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(await expectJson(again, status)).toEqual(first)
})

test('a redirect is stored and replayed: a form is answered by one', async () => {
  handler = async (c) => {
    await write(c.var.tx, 'elsewhere')
    return c.redirect('/else', 303)
  }
  for (const replayed of [null, 'true']) {
    const answer = await work('see-other')
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/else'])
    expect(answer.headers.get('idempotency-replayed')).toBe(replayed)
  }
  expect((await written(databaseUrl)).filter((item) => item === 'elsewhere')).toHaveLength(1)
})

test('a 204 is stored and replayed, without a body', async () => {
  handler = async (c) => {
    await write(c.var.tx, 'nothing to say')
    return c.body(null, 204)
  }
  for (const replayed of [null, 'true']) {
    const answer = await work('no-content')
    expect(answer.status).toBe(204)
    expect(answer.headers.get('idempotency-replayed')).toBe(replayed)
    expect(answer.headers.get('content-length')).toBeNull()
    expect(await answer.text()).toBe('')
  }
  expect((await written(databaseUrl)).filter((item) => item === 'nothing to say')).toHaveLength(1)
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
