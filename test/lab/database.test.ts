import { beforeEach, describe, expect, test, vi } from 'vitest'
import { expectJson, expectLog, expectProblem, makeDatabase, onServer, proxyDatabase } from '#test/kit'
import metadata from '../../package.json' with { type: 'json' }
import { startLab } from './lab.ts'
import { createMembers } from './routes/database.ts'

const databaseUrl = await makeDatabase()
await onServer(databaseUrl, createMembers)
const proxy = await proxyDatabase(databaseUrl)
const lab = await startLab({ DATABASE_URL: proxy.url, DATABASE_POOL: '4', REQUEST_TIMEOUT: '20' })
const alice = await lab.as('alice')
const ada = { email: 'a@example.com', name: 'Ada' }
const application = `${metadata.name} unknown`

/** Resolves when this many statements of the service run at the server. */
async function running(count: number, statement = '%pg_sleep%'): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await onServer(
        databaseUrl,
        `select count(*)::int as count from pg_stat_activity
          where datname = current_database() and state = 'active' and query like $1 and application_name = $2`,
        [statement, application],
      )
      expect(rows).toEqual([{ count }])
    },
    { timeout: 120_000, interval: 20 },
  )
}

/** Asks, until the client leaves. */
function leaving(path: string): { leave: () => void; ended: Promise<unknown> } {
  const { dial } = lab.process
  const connection = dial().send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
  return { leave: () => void connection.socket.destroy(), ended: connection.closed }
}

async function connections(): Promise<number> {
  const { rows } = await onServer(
    databaseUrl,
    `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and application_name = $1`,
    [application],
  )
  return rows[0].count
}

beforeEach(async () => {
  proxy.speakNew()
  await onServer(databaseUrl, 'delete from members')
})

describe('a client that leaves', () => {
  test.each([
    ['a statement', '/database/sleep', 1],
    ['a transaction', '/database/asleep', 1],
    ['two statements, one of which nobody waits for any more', '/database/beside', 2],
  ])('ends %s at the server, and its connection is used again', async (_what, path, statements) => {
    await Promise.all(Array.from({ length: 4 }, () => lab.api('/database/count')))
    const clients = [leaving(path), leaving(path)]
    await running(2 * statements)
    const before = await connections()
    for (const { leave } of clients) leave()
    await running(0)
    for (let time = 0; time < 8; time++) await expectJson(await lab.api('/database/count'))
    expect(await connections()).toBe(before)
    expect(await onServer(databaseUrl, 'select 1 from members')).toMatchObject({ rowCount: 0 })
    await lab.process.line(new RegExp(`GET ${path} 499`))
  })

  test('ends nothing of the process', () => {
    const severe = expectLog(lab.process.lines).filter(({ severity }) => severity === 'CRITICAL')
    expect(severe).toEqual([])
    expect(lab.process.child.exitCode).toBeNull()
  })
})

test('a database that falls silent is a 503 for all by their deadline, and serves the next request when it speaks', async () => {
  await Promise.all(Array.from({ length: 4 }, () => lab.api('/database/count')))
  const started = performance.now()
  const requests = Array.from({ length: 4 }, () => lab.api('/database/sleep'))
  await running(4)
  proxy.silence()
  proxy.silenceNew()
  requests.push(...Array.from({ length: 8 }, () => lab.api('/database/count')))
  for (const response of await Promise.all(requests)) {
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(response.status).toBe(503)
    const { code } = (await response.json()) as { code: string }
    expect(['DEADLINE_EXCEEDED', 'OVERLOADED', 'DATABASE_UNAVAILABLE']).toContain(code)
  }
  expect(performance.now() - started).toBeGreaterThan(17_000) // at the deadline, not before
  proxy.speakNew()
  await expectJson(await lab.api('/database/count'))
}, 60_000)

describe('inside a transaction', () => {
  test('the plain database is refused, so that nobody waits for a connection that others hold', async () => {
    const ask = () => alice('/database/outside', { json: ada })
    const responses = await Promise.all(Array.from({ length: 8 }, ask))
    const refused = responses.filter(({ status }) => status !== 503)
    expect(refused.length).toBeGreaterThanOrEqual(4) // on a slow machine the others may get no connection in time: once more
    while (refused.length < responses.length) refused.push(await ask())
    for (const response of refused) await expectProblem(response, 500, 'INTERNAL')
    const [, said] = await lab.process.line(/(The database was used inside a transaction.*?c\.var\.tx)/)
    expect(said).toBeTruthy()
    await expectJson(await alice('/database/members', { json: ada }), 201)
  })

  test('two transactions of one handler at once are two', async () => {
    expect(await expectJson(await lab.api('/database/both'))).toEqual({ count: 2 })
  })
})

describe('what PostgreSQL refuses of a caller', () => {
  const invalid = { status: 400, code: 'VALIDATION_FAILED' }

  test.each([
    { what: 'an e-mail that is taken', member: { email: 'taken' }, status: 409, code: 'EMAIL_TAKEN' },
    {
      what: 'a friend who is not there',
      member: { friend: crypto.randomUUID() },
      status: 422,
      code: 'FRIEND_UNKNOWN',
    },
    { what: 'a check', member: { age: 13 }, status: 422, code: 'AGE_REFUSED' },
    { what: 'a number out of range', member: { age: 3_000_000_000 }, ...invalid },
    { what: 'a text too long', member: { name: 'a'.repeat(21) }, ...invalid },
    { what: 'no date', member: { born: 'yesterday, more or less' }, ...invalid },
    { what: 'a day that there is not', member: { born: '2026-02-30' }, ...invalid },
    { what: 'no UUID', member: { friend: 'eve' }, ...invalid },
    { what: 'nothing where there must be something', member: { name: null }, ...invalid },
    { what: 'a text too long for its index', member: { email: randomText(9_000) }, ...invalid },
    { what: 'what the feature does not name', member: { nickname: 'taken' }, status: 500, code: 'INTERNAL' },
  ])('$what: by what the feature says it means', async ({ member, status, code }) => {
    await expectJson(
      await alice('/database/members', { json: { ...ada, email: 'taken', nickname: 'taken' } }),
      201,
    )
    await expectProblem(await alice('/database/members', { json: { ...ada, ...member } }), status, code)
    expect(await expectJson(await lab.api('/database/count'))).toEqual({ count: 1 })
  })

  test('the constraint that it does not name is in the log', async () => {
    await lab.process.line(/members_unlisted/)
  })
})

test('a migration that changes a column’s type beside costs no caller a 500', async () => {
  await alice('/database/members', { json: { ...ada, age: 40 } })
  const read = () => Promise.all(Array.from({ length: 8 }, () => lab.api('/database/oldest')))
  for (const response of await read()) expect(await expectJson(response)).toEqual({ count: 40 })
  for (const type of ['bigint', 'integer']) {
    await onServer(databaseUrl, `alter table members alter age type ${type}`)
    for (const response of await read()) expect(await expectJson(response)).toEqual({ count: 40 })
    for (const response of await read()) expect(await expectJson(response)).toEqual({ count: 40 })
  }
})

test('a server that takes no writes is a 503 that says when to come back, and is left', async () => {
  await onServer(
    databaseUrl,
    `alter database ${new URL(databaseUrl).pathname.slice(1)} set default_transaction_read_only = on`,
  )
  await onServer(
    databaseUrl,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = '${application}'`,
  )
  const response = await alice('/database/members', { json: ada })
  expect(response.headers.get('retry-after')).toBe('5')
  await expectProblem(response, 503, 'DATABASE_UNAVAILABLE')
  await onServer(
    databaseUrl,
    `alter database ${new URL(databaseUrl).pathname.slice(1)} reset default_transaction_read_only`,
  )
  await expectJson(await alice('/database/members', { json: ada }), 201)
})

/** What PostgreSQL cannot compress. */
function randomText(length: number): string {
  return Array.from({ length }, () => Math.random().toString(36)[2] ?? 'x').join('')
}
