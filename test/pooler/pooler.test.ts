import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { describe, expect, test, vi } from 'vitest'
import { createDatabase, createReader, migrate } from '#runtime'
import { startLab } from '#test/lab/lab.ts'
import { createMembers } from '#test/lab/routes/database.ts'
import { atEnd } from '#test/support/at-end.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { startPgBouncer } from '#test/support/pgbouncer.ts'

// A pooler gives each transaction whichever server connection is free: what a session keeps is another's by then.

const databaseUrl = await makeDatabase()
await onServer(databaseUrl, createMembers)
await onServer(databaseUrl, "insert into members (email, name, age) values ('a@example.com', 'Ada', 40)")
const url = await startPgBouncer(databaseUrl, 3)
const lab = await startLab({ DATABASE_URL: url, DATABASE_POOL: '10' })
const many = <Value>(send: () => Promise<Value>) => Promise.all(Array.from({ length: 60 }, send))
const log = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }

function open(name: string) {
  const database = createDatabase({ url, pool: 4, timeoutSeconds: 20, name, log })
  atEnd(() => database.$client.end())
  return database
}

describe('behind PgBouncer in transaction mode', () => {
  test('the service is ready', async () => {
    expect(await expectJson(await lab.api('/ready'))).toMatchObject({ checks: { database: 'ok' } })
  })

  test('queries, prepared ones and transactions are answered, many at once', async () => {
    for (const path of ['/database/count', '/database/oldest', '/database/both'])
      for (const response of await many(() => lab.api(path)))
        expect([path, response.status]).toEqual([path, 200])
  })

  test('a prepared query of one name is not taken for another’s', async () => {
    const [one, two] = [open('one'), open('two')].map((database, index) =>
      database
        .select({ is: sql<number>`${sql.raw(String(index + 1))}` })
        .from(sql`members`)
        .prepare('same_name'),
    )
    for (let time = 0; time < 10; time++) {
      const found = await Promise.all([one, two, two, one].map((query) => query?.execute()))
      expect(found.map((rows) => rows?.[0]?.is)).toEqual([1, 2, 2, 1])
    }
  })

  test('a transaction is bounded by the server as well, and what bounds it does not outlive it', async () => {
    const database = open('bounds')
    const bounds = sql`select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
      current_setting('idle_in_transaction_session_timeout') as idle`
    const inside = await many(() => database.transaction((tx) => tx.execute(bounds)))
    for (const { rows } of inside) expect(rows).toEqual([{ statement: '16s', lock: '8s', idle: '16s' }])
    const outside = await many(() => database.execute(bounds))
    for (const { rows } of outside) expect(rows).toEqual([{ statement: '0', lock: '0', idle: '0' }])
  })

  test('a reader reads, and writes nothing', async () => {
    const reader = createReader(open('reader').$client)
    for (const { rows } of await many(() => reader.execute(sql`select age from members`)))
      expect(rows).toEqual([{ age: 40 }])
    await expect(reader.execute(sql`delete from members`)).rejects.toMatchObject({ cause: { code: '25006' } })
  })

  test('idempotency keys hold', async () => {
    const alice = await lab.as('alice')
    const member = { email: 'b@example.com', name: 'Bob' }
    const join = () => alice('/database/members', { json: member, headers: { 'Idempotency-Key': 'bob' } })
    const responses = await Promise.all(Array.from({ length: 8 }, join))
    for (const response of responses) {
      if (response.status === 201) await response.text()
      else await expectProblem(response, 409, 'IDEMPOTENCY_KEY_IN_USE')
    }
    const replayed = await join()
    expect(replayed.headers.get('idempotency-replayed')).toBe('true')
    await expectJson(replayed, 201)
    expect(await onServer(databaseUrl, "select 1 from members where email = 'b@example.com'")).toMatchObject({
      rowCount: 1,
    })
  })

  test('a statement ends at the server when the client leaves', async () => {
    const running = (count: number) =>
      vi.waitFor(
        async () => {
          const asleep =
            "select count(*)::int as count from pg_stat_activity where state = 'active' and query = 'select pg_sleep(3600)'"
          expect((await onServer(databaseUrl, asleep)).rows).toEqual([{ count }])
        },
        { timeout: 120_000, interval: 20 },
      )
    const connections = [1, 2].map(() => lab.process.dial())
    for (const connection of connections) connection.send('GET /database/sleep HTTP/1.1\r\nHost: a\r\n\r\n')
    await running(2)
    for (const { socket } of connections) socket.destroy()
    await running(0)
    for (const response of await many(() => lab.api('/database/count'))) await expectJson(response)
  })

  test('migrations take turns', async () => {
    const empty = await makeDatabase({ empty: true })
    const pooled = url.replace(new URL(databaseUrl).pathname, new URL(empty).pathname)
    const folder = fileURLToPath(new URL('../../migrations', import.meta.url))
    const counts = await Promise.all([1, 2, 3].map(() => migrate(pooled, folder)))
    expect(counts.filter(({ runtime, features }) => runtime > 0 && features > 0)).toHaveLength(1)
  })
})
