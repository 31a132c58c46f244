import { sql } from 'drizzle-orm'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Transaction } from '#src/runtime/database/database.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { testService } from '#test/support/service.ts'
import { storedKeys, type Work, workFeature, write, written } from '#test/support/work.ts'

const databaseUrl = await makeDatabase()
let handler: Work
const service = await testService({ databaseUrl, features: [workFeature(() => handler)] })
const pool = service.database.$client
const api = await service.as('alice')

const work = (key?: string) =>
  api('/work', { json: {}, ...(key !== undefined && { headers: { 'Idempotency-Key': key } }) })

async function kill(tx: Transaction): Promise<void> {
  const { rows } = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
  await onServer(databaseUrl, 'select pg_terminate_backend($1, 5000)', [rows[0]?.pid])
}

/** Expects that nothing is left of a request that failed, and that the same request can be sent again. */
async function expectRetry(item: string, key: string): Promise<void> {
  expect(await written(databaseUrl)).not.toContain(item)
  expect(await storedKeys(databaseUrl)).not.toContain(key)
  handler = async (c) => {
    await write(c.var.tx, item)
    return c.json({ item }, 201)
  }
  const first = await expectJson(await work(key), 201)
  const again = await work(key)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(await expectJson(again, 201)).toEqual(first)
  expect((await written(databaseUrl)).filter((name) => name === item)).toHaveLength(1)
}

afterEach(() => {
  expect(pool.idleCount).toBe(pool.totalCount)
  expect(pool.waitingCount).toBe(0)
})

describe('a connection that is killed while the handler holds it', () => {
  test.each<[string, (item: string) => Work]>([
    [
      'between two statements',
      (item) => async (c) => {
        await write(c.var.tx, item)
        await kill(c.var.tx)
        await write(c.var.tx, item)
        return c.json({}, 201)
      },
    ],
    [
      'after its last statement',
      (item) => async (c) => {
        await write(c.var.tx, item)
        await kill(c.var.tx)
        return c.json({}, 201, { Location: '/work/1', ETag: '"1"' })
      },
    ],
    [
      'by its own statement',
      (item) => async (c) => {
        await write(c.var.tx, item)
        await c.var.tx.execute(sql`select pg_terminate_backend(pg_backend_pid())`)
        return c.json({}, 201)
      },
    ],
    [
      'before its first statement, and whose error it catches',
      (item) => async (c) => {
        await kill(c.var.tx)
        await write(c.var.tx, item).catch(() => {})
        return c.json({}, 201)
      },
    ],
  ])('%s: 503, nothing is left, and a retry does it once', async (what, killed) => {
    const key = what.replaceAll(' ', '-')
    for (const attempt of [undefined, key]) {
      handler = killed(what)
      const answer = await work(attempt)
      expect(answer.headers.get('retry-after')).toBe('5')
      expect(answer.headers.get('location')).toBeNull()
      expect(answer.headers.get('etag')).toBeNull()
      await expectProblem(answer, 503, 'DATABASE_UNAVAILABLE')
    }
    await expectRetry(what, key)
  })
})

describe('a commit that fails', () => {
  beforeAll(async () => {
    await onServer(
      databaseUrl,
      `create function refuse() returns trigger language plpgsql as $$ begin
        if new.text like 'rule%' then raise 'hidden detail of the rule'; end if;
        if new.text like 'serial%' then raise 'hidden detail' using errcode = 'serialization_failure'; end if;
        if new.text like 'death%' then perform pg_terminate_backend(pg_backend_pid()); end if;
        return null;
      end $$`,
    )
    await onServer(
      databaseUrl,
      `create constraint trigger refuse after insert on test_notes deferrable initially deferred
        for each row execute function refuse()`,
    )
  })

  test.each([
    ['rule', 500, 'INTERNAL', null],
    ['serial', 503, 'OVERLOADED', '1'],
    ['death', 503, 'DATABASE_UNAVAILABLE', '5'],
  ])(
    '(by %s) is a %i, with no header of the answer that was ready',
    async (cause, status, code, retryAfter) => {
      for (const key of [undefined, cause]) {
        handler = async (c) => {
          await write(c.var.tx, cause)
          c.header('Set-Cookie', 'visited=yes')
          c.header('Cache-Control', 'max-age=60')
          return c.json({ text: 'x'.repeat(300) }, 201, { Location: '/work/1', ETag: '"1"' })
        }
        const answer = await work(key)
        for (const name of ['location', 'etag', 'set-cookie', 'idempotency-replayed']) {
          expect(answer.headers.get(name)).toBeNull()
        }
        expect(answer.headers.get('cache-control')).toBe('no-store')
        expect(answer.headers.get('retry-after')).toBe(retryAfter)
        const length = Number(answer.headers.get('content-length'))
        const problem = await expectProblem(answer, status, code)
        expect(length).toBe(Buffer.byteLength(JSON.stringify(problem)))
        expect(JSON.stringify(problem)).not.toContain('hidden')
        expect(await written(databaseUrl)).not.toContain(cause)
      }
      expect(await storedKeys(databaseUrl)).not.toContain(cause)
      await expectRetry(`a better ${cause}`, cause)
    },
  )
})
