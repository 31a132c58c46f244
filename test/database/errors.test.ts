import { sql } from 'drizzle-orm'
import { beforeEach, describe, expect, test } from 'vitest'
import { causes } from '#src/runtime/kernel/causes.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'
import { openSession } from '#test/support/session.ts'
import { type Work, workFeature, write, written } from '#test/support/work.ts'

const databaseUrl = await makeDatabase()
let handler: Work
const service = await testService({
  databaseUrl,
  features: [workFeature(() => handler)],
  environment: { REQUEST_TIMEOUT: '9' },
})
const pool = service.database.$client
const alice = await service.as('alice')
const work = () => alice('/work', { json: {} })

beforeEach(() => {
  service.lines.length = 0
})

/** Expects a problem that says nothing of its cause, while the log says which it was. */
async function expectHidden(response: Response, status: number, code: string, state: string): Promise<void> {
  const problem = await expectProblem(response, status, code)
  expect(JSON.stringify(problem)).not.toMatch(/hidden|notes|constraint|relation|SQLSTATE/)
  const line = service.lines.find((entry) => 'stack_trace' in entry)
  expect(line).toMatchObject({ severity: 'ERROR', code, database: { code: state } })
  expect(pool.idleCount).toBe(pool.totalCount)
}

describe('what PostgreSQL says', () => {
  test.each([
    { what: 'serialization failure', state: '40001', status: 503, code: 'OVERLOADED', retryAfter: '1' },
    { what: 'deadlock', state: '40P01', status: 503, code: 'OVERLOADED', retryAfter: '1' },
    { what: 'too many connections', state: '53300', status: 503, code: 'OVERLOADED', retryAfter: '1' },
    { what: 'lock not available', state: '55P03', status: 503, code: 'OVERLOADED', retryAfter: '1' },
    { what: 'query cancelled', state: '57014', status: 503, code: 'OVERLOADED', retryAfter: '1' },
    {
      what: 'connection failure',
      state: '08006',
      status: 503,
      code: 'DATABASE_UNAVAILABLE',
      retryAfter: '5',
    },
    { what: 'shutdown', state: '57P01', status: 503, code: 'DATABASE_UNAVAILABLE', retryAfter: '5' },
    { what: 'crash', state: '57P02', status: 503, code: 'DATABASE_UNAVAILABLE', retryAfter: '5' },
    {
      what: 'transaction that did nothing',
      state: '25P03',
      status: 503,
      code: 'DATABASE_UNAVAILABLE',
      retryAfter: '5',
    },
    { what: 'unique violation', state: '23505', status: 500, code: 'INTERNAL', retryAfter: null },
    { what: 'division by zero', state: '22012', status: 500, code: 'INTERNAL', retryAfter: null },
    { what: 'missing table', state: '42P01', status: 500, code: 'INTERNAL', retryAfter: null },
    { what: 'missing right', state: '42501', status: 500, code: 'INTERNAL', retryAfter: null },
    { what: 'full disk', state: '53100', status: 500, code: 'INTERNAL', retryAfter: null },
    { what: 'something of a trigger', state: 'P0001', status: 500, code: 'INTERNAL', retryAfter: null },
  ])(
    '($what, $state) is a $status to the caller, and the code is in the log',
    async ({ state, status, code, retryAfter }) => {
      handler = async (c) => {
        await c.var.tx.execute(
          sql.raw(`do $$ begin raise 'hidden message' using errcode = '${state}', detail = 'hidden'; end $$`),
        )
        return c.json({}, 201)
      }
      const response = await work()
      expect(response.headers.get('retry-after')).toBe(retryAfter)
      await expectHidden(response, status, code, state)
    },
  )

  test('outside a transaction is answered alike', async () => {
    const { as } = await testService({ databaseUrl, features: [notes] })
    const reader = await as('alice', ['notes:read'])
    await onServer(databaseUrl, 'alter table test_notes rename to hidden')
    const problem = await expectProblem(await reader('/notes'), 500, 'INTERNAL')
    expect(JSON.stringify(problem)).not.toMatch(/hidden|relation/)
    await onServer(databaseUrl, 'alter table hidden rename to test_notes')
    await expectJson(await reader('/notes'))
  })
})

test('a row that another transaction locks is waited for as long as the handler says', async () => {
  const other = await openSession(databaseUrl)
  await other.query('begin')
  await other.query('lock table test_notes in exclusive mode')
  handler = async (c) => {
    await c.var.tx.execute(sql`set local lock_timeout = 10`)
    await write(c.var.tx, 'locked')
    return c.json({}, 201)
  }
  await expectHidden(await work(), 503, 'OVERLOADED', '55P03')
  await other.query('rollback')
  await expectJson(await work(), 201)
  expect(await written(databaseUrl)).toEqual(['locked'])
})

test('the server ends a statement, a wait for a lock and an idle transaction before REQUEST_TIMEOUT does', async () => {
  handler = async (c) => {
    const { rows } = await c.var.tx.execute(
      sql`select current_setting('statement_timeout') as statement,
        current_setting('idle_in_transaction_session_timeout') as idle,
        current_setting('lock_timeout') as lock`,
    )
    return c.json({ ...rows[0] }, 200)
  }
  expect(await expectJson(await work())).toEqual({ statement: '7200ms', idle: '7200ms', lock: '3600ms' })
})

test('a connection to a server that takes no writes leaves the pool: the next may lead to another server', async () => {
  const { database } = await testService({ databaseUrl, features: [] })
  const alter = `alter database ${new URL(databaseUrl).pathname.slice(1)}`
  await onServer(databaseUrl, `${alter} set default_transaction_read_only = on`)
  for (const send of [
    () => database.execute(sql`delete from test_notes where text = 'nothing'`),
    () => database.transaction((tx) => write(tx, 'refused')),
  ]) {
    const error = await send().catch((thrown: Error) => thrown)
    expect(causes(error)).toContainEqual(
      expect.objectContaining({ definition: expect.objectContaining({ code: 'DATABASE_UNAVAILABLE' }) }),
    )
    expect(database.$client.totalCount).toBe(0)
  }
  await onServer(databaseUrl, `${alter} reset default_transaction_read_only`)
  await database.transaction((tx) => write(tx, 'accepted'))
  expect(await written(databaseUrl)).toEqual(expect.arrayContaining(['accepted']))
})

test('a statement that takes too long is a 503', async () => {
  handler = async (c) => {
    await write(c.var.tx, 'slow')
    await c.var.tx.execute(sql`set local statement_timeout = 10`)
    await c.var.tx.execute(sql`select pg_sleep(600)`)
    return c.json({}, 201)
  }
  await expectHidden(await work(), 503, 'OVERLOADED', '57014')
  expect(await written(databaseUrl)).not.toContain('slow')
})

test('a transaction that the server has ended for doing nothing is a 503', async () => {
  handler = async (c) => {
    const { rows } = await c.var.tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    await c.var.tx.execute(sql`set local idle_in_transaction_session_timeout = 10`)
    const alive = 'select 1 from pg_stat_activity where pid = $1'
    while ((await onServer(databaseUrl, alive, [rows[0]?.pid])).rowCount) {}
    await write(c.var.tx, 'idle')
    return c.json({}, 201)
  }
  const response = await work()
  expect(response.headers.get('retry-after')).toBe('5')
  await expectProblem(response, 503, 'DATABASE_UNAVAILABLE')
  expect(await written(databaseUrl)).not.toContain('idle')
  expect(pool.idleCount).toBe(pool.totalCount)
})

test.each([
  ['refuses', { code: 'ECONNREFUSED', syscall: 'connect' }],
  ['resets', { code: 'ECONNRESET', syscall: 'read' }],
  ['is not found', { code: 'ENOTFOUND', syscall: 'getaddrinfo' }],
])('a service of others that %s is not the database: 500', async (_what, fields) => {
  handler = async () => {
    throw new TypeError('fetch failed', { cause: Object.assign(new Error('no connection'), fields) })
  }
  await expectProblem(await work(), 500, 'INTERNAL')
})
