import { expect, test } from 'vitest'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { bundleWith, migrationsOf } from '#test/support/migrations.ts'
import { spawnBundle } from '#test/support/process.ts'

/** Runs the migration job with these variables and no others. */
async function run(environment: Record<string, string>, file = 'dist/migrate.js') {
  const { exit, lines } = spawnBundle(environment, { file })
  const status = await exit
  return {
    status,
    entries: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    text: lines.join('\n'),
  }
}

test.each([
  ['is missing', {}, 'DATABASE_URL: is required but not set'],
  ['is empty', { DATABASE_URL: '' }, 'DATABASE_URL: is required but not set'],
  [
    'is no PostgreSQL URL',
    { DATABASE_URL: 'mysql://u:hidden@h/d' },
    'DATABASE_URL: must be a PostgreSQL URL',
  ],
])('where DATABASE_URL %s the job says so in one entry, and exits 1', async (_what, environment, words) => {
  const { status, entries, text } = await run(environment)
  expect(status).toBe(1)
  expect(entries).toHaveLength(1)
  expect(entries[0]).toMatchObject({ severity: 'CRITICAL' })
  expect(text).toContain(words)
  expect(text).not.toContain('hidden')
})

test('where the database does not answer the job says so in one entry, and exits 1', async () => {
  const { status, entries, text } = await run({ DATABASE_URL: 'postgres://u:hidden@127.0.0.1:1/d' })
  expect(status).toBe(1)
  expect(entries).toHaveLength(1)
  expect(entries[0]).toMatchObject({ severity: 'CRITICAL', message: 'The migrations were not applied' })
  expect(text).toContain('ECONNREFUSED 127.0.0.1:1')
  expect(text).not.toContain('hidden')
})

test('a migration that fails applies nothing; its entry names what failed, and the job exits 1', async () => {
  const DATABASE_URL = await makeDatabase({ empty: true })
  const folder = await migrationsOf('create table good (id int)', 'alter table missing add column b text')
  const { status, entries, text } = await run({ DATABASE_URL }, await bundleWith(folder))
  expect(status).toBe(1)
  expect(entries).toHaveLength(1)
  expect(entries[0]).toMatchObject({
    severity: 'CRITICAL',
    message: 'The migrations were not applied',
    database: { code: '42P01' },
  })
  expect(text).toContain('relation \\"missing\\" does not exist')
  expect(text).toContain('alter table missing add column b text')
  const { rows } = await onServer(DATABASE_URL, "select to_regclass('good') as good")
  expect(rows).toEqual([{ good: null }])
})
