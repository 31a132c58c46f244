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

/** Expects that nothing is left of a request that failed, and that a retry does the work once. */
async function expectRetry(item: string, key: string): Promise<void> {
  expect(await written(databaseUrl)).not.toContain(item)
  expect(await storedKeys(databaseUrl)).not.toContain(key)
  handler = async (c) => {
    await write(c.var.tx, item)
    return c.json({ item }, 201)
  }
  const first = await expectJson(await work(key), 201)
  const second = await work(key)
  expect(second.headers.get('idempotency-replayed')).toBe('true')
  expect(await expectJson(second, 201)).toEqual(first)
  expect((await written(databaseUrl)).filter((text) => text === item)).toHaveLength(1)
}

afterEach(() => {
  expect(pool.idleCount).toBe(pool.totalCount)
  expect(pool.waitingCount).toBe(0)
})

/** Responds with headers, none of which may be sent where the commit fails. */
const created: Work = async (c) => {
  c.header('Set-Cookie', 'visited=yes')
  c.header('Cache-Control', 'max-age=60')
  return c.json({ text: 'x'.repeat(300) }, 201, { Location: '/work/1', ETag: '"1"' })
}

interface Kill {
  readonly when: string
  readonly work: (item: string) => Work
}

describe('a connection that is killed while the handler holds it', () => {
  test.each<Kill>([
    {
      when: 'between two statements',
      work: (item) => async (c) => {
        await write(c.var.tx, item)
        await kill(c.var.tx)
        await write(c.var.tx, item)
        return created(c)
      },
    },
    {
      when: 'after its last statement',
      work: (item) => async (c) => {
        await write(c.var.tx, item)
        await kill(c.var.tx)
        return created(c)
      },
    },
    {
      when: 'by its own statement',
      work: (item) => async (c) => {
        await write(c.var.tx, item)
        await c.var.tx.execute(sql`select pg_terminate_backend(pg_backend_pid())`)
        return created(c)
      },
    },
    {
      when: 'before its first statement, whose error the handler catches',
      work: (item) => async (c) => {
        await kill(c.var.tx)
        await write(c.var.tx, item).catch(() => {})
        return created(c)
      },
    },
  ])('$when: 503, nothing is left, and a retry does it once', async ({ when, work: killed }) => {
    const key = when.replaceAll(' ', '-')
    for (const attempt of [undefined, key]) {
      handler = killed(when)
      await expectFailure(await work(attempt), { status: 503, code: 'DATABASE_UNAVAILABLE', retryAfter: '5' })
    }
    await expectRetry(when, key)
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
    { cause: 'rule', status: 500, code: 'INTERNAL', retryAfter: null },
    { cause: 'serial', status: 503, code: 'OVERLOADED', retryAfter: '1' },
    { cause: 'death', status: 503, code: 'DATABASE_UNAVAILABLE', retryAfter: '5' },
  ])('(by $cause) is a $status', async ({ cause, ...failure }) => {
    for (const key of [undefined, cause]) {
      handler = async (c) => {
        await write(c.var.tx, cause)
        return created(c)
      }
      await expectFailure(await work(key), failure)
      expect(await written(databaseUrl)).not.toContain(cause)
    }
    expect(await storedKeys(databaseUrl)).not.toContain(cause)
    await expectRetry(`a better ${cause}`, cause)
  })
})

/** Expects a problem that has nothing of the response that was ready. */
async function expectFailure(
  response: Response,
  { status, code, retryAfter }: { status: number; code: string; retryAfter: string | null },
): Promise<void> {
  for (const name of ['location', 'etag', 'set-cookie', 'idempotency-replayed'])
    expect(response.headers.get(name)).toBeNull()
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('retry-after')).toBe(retryAfter)
  const length = Number(response.headers.get('content-length'))
  const problem = await expectProblem(response, status, code)
  expect(length).toBe(Buffer.byteLength(JSON.stringify(problem)))
  expect(JSON.stringify(problem)).not.toContain('hidden')
}
