import { describe, expect, test } from 'vitest'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { bundleWith, migrationsOf } from '#test/support/migrations.ts'
import { expectLog, spawnBundle } from '#test/support/process.ts'

/** Runs the migration job with these variables and no others. */
async function migrate(environment: Record<string, string>, file = 'dist/migrate.js') {
  const { lines, exit } = spawnBundle(environment, { file })
  const status = await exit
  return { status, entries: expectLog(lines), text: lines.join('\n') }
}

test('the bundle brings its migrations: the first run applies them, the next finds nothing to do', async () => {
  const url = await makeDatabase({ empty: true })
  expect(await migrate({ DATABASE_URL: url })).toMatchObject({
    status: 0,
    entries: [{ severity: 'INFO', message: expect.stringMatching(/^\d+ migrations? applied$/) }],
  })
  expect((await onServer(url, 'select from runtime.idempotency_keys')).rowCount).toBe(0)
  expect(await migrate({ DATABASE_URL: url })).toMatchObject({
    status: 0,
    entries: [{ severity: 'INFO', message: 'The database has all migrations', count: 0 }],
  })
})

test('two at once both succeed, and one of them applies', async () => {
  const url = await makeDatabase({ empty: true })
  const runs = await Promise.all([1, 2].map(() => migrate({ DATABASE_URL: url })))
  expect(runs.map(({ status }) => status)).toEqual([0, 0])
  const counts = runs.map(({ entries }) => Number(entries[0]?.count)).sort()
  expect(counts).toEqual([0, expect.any(Number)])
  expect(counts[1]).toBeGreaterThan(0)
})

/** Runs the job, which must fail, say why in one entry, and show no password. */
async function failure(environment: Record<string, string>, file?: string) {
  const { status, entries, text } = await migrate(environment, file)
  expect(status).toBe(1)
  expect(text).not.toContain('hidden')
  expect(entries).toHaveLength(1)
  expect(entries[0]).toMatchObject({ severity: 'CRITICAL', message: 'The migrations were not applied' })
  return { entry: entries[0], text }
}

describe('the job fails with exit 1, and one entry that says why, where', () => {
  test.each([
    { what: 'is missing', environment: {}, words: 'is required but not set' },
    { what: 'is empty', environment: { DATABASE_URL: '' }, words: 'is required but not set' },
    {
      what: 'is no PostgreSQL URL',
      environment: { DATABASE_URL: 'mysql://u:hidden@h/d' },
      words: 'must be a PostgreSQL URL',
    },
  ])('DATABASE_URL $what', async ({ environment, words }) => {
    const { text } = await failure(environment)
    expect(text).toContain(`DATABASE_URL: ${words}`)
  })

  test('the database does not respond', async () => {
    const { text } = await failure({ DATABASE_URL: 'postgres://u:hidden@127.0.0.1:1/d' })
    expect(text).toContain('ECONNREFUSED 127.0.0.1:1')
  })

  test('a migration fails, of which nothing is applied', async () => {
    const DATABASE_URL = await makeDatabase({ empty: true })
    const folder = await migrationsOf('create table good (id int)', 'alter table missing add column b text')
    const { entry, text } = await failure({ DATABASE_URL }, await bundleWith(folder))
    expect(entry).toMatchObject({ database: { code: '42P01' } })
    expect(text).toContain('relation \\"missing\\" does not exist')
    expect(text).toContain('alter table missing add column b text')
    const { rows } = await onServer(DATABASE_URL, "select to_regclass('good') as good")
    expect(rows).toEqual([{ good: null }])
  })
})

test('what the driver warns of is an entry too', async () => {
  const url = new URL(await makeDatabase({ empty: true }))
  url.searchParams.set('sslmode', 'require') // which makes the driver warn, and the server refuse
  expect(await migrate({ DATABASE_URL: url.href })).toMatchObject({
    status: 1,
    entries: [
      { severity: 'WARNING', message: expect.stringContaining('SSL') },
      { severity: 'CRITICAL', message: 'The migrations were not applied', stack_trace: expect.any(String) },
    ],
  })
})
