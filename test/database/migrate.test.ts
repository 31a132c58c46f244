import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'vitest'
import { migrate } from '#src/runtime/database/migrate.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { migrationsOf } from '#test/support/migrations.ts'
import { lockWaits, openSession } from '#test/support/session.ts'

const migrations = fileURLToPath(new URL('../../migrations', import.meta.url))
/** The tables that src/ declares. */
const modules = await Promise.all(globSync('src/**/*table.ts').map((file) => import(resolve(file))))
const declared = modules
  .flatMap((module) => Object.values(module).filter((value) => is(value, PgTable)))
  .map((table) => getTableConfig(table))
  .map(({ schema = 'public', name }) => `${schema}.${name}`)
const journals = ['drizzle.__drizzle_migrations', 'runtime.migrations']

async function tables(url: string): Promise<string[]> {
  const { rows } = await onServer(
    url,
    `select schemaname || '.' || tablename as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  )
  return rows.map(({ name }) => name).filter((name) => !journals.includes(name))
}

async function applied(url: string): Promise<number> {
  const { rows } = await onServer(url, 'select count(*)::int as count from drizzle.__drizzle_migrations')
  return rows[0].count
}

/** How many migrations there are of a set. */
function written(set: string): number {
  return JSON.parse(readFileSync(join(migrations, set, 'meta/_journal.json'), 'utf8')).entries.length
}

describe('the migrations of the service', () => {
  test('make its tables in an empty database, once', async () => {
    const url = await makeDatabase({ empty: true })
    expect(await migrate(url, migrations)).toEqual({
      runtime: written('runtime'),
      features: written('features'),
    })
    expect(await tables(url)).toEqual(expect.arrayContaining(declared))
    expect(await migrate(url, migrations)).toEqual({ runtime: 0, features: 0 })
  })

  test('keep what is in the tables when they are applied again', async () => {
    const url = await makeDatabase()
    await onServer(
      url,
      `insert into runtime.idempotency_keys (caller, key, fingerprint, status, headers, body)
        values ('a', 'b', 'c', 201, '[]', '')`,
    )
    expect(await migrate(url, migrations)).toEqual({ runtime: 0, features: 0 })
    expect((await onServer(url, 'select 1 from runtime.idempotency_keys')).rowCount).toBe(1)
  })

  test.each([2, 5])('%i at once take turns: one applies them, all succeed', async (count) => {
    const url = await makeDatabase({ empty: true })
    const counts = await Promise.all(Array.from({ length: count }, () => migrate(url, migrations)))
    expect(counts.filter(({ runtime, features }) => runtime > 0 || features > 0)).toHaveLength(1)
    expect(await applied(url)).toBe(Math.max(...counts.map(({ features }) => features)))
  })

  test('leave nothing open behind them', async () => {
    const url = await makeDatabase({ empty: true })
    await migrate(url, migrations)
    await expect(migrate(url, '/nowhere')).rejects.toThrow()
    const session = await openSession(url)
    const others =
      "select 1 from pg_stat_activity where application_name = 'migrate' and datname = current_database()"
    while ((await session.query(others)).rowCount) {} // a backend ends a moment after its connection
  })
})

test('later migrations are applied to what earlier ones made', async () => {
  const url = await makeDatabase({ empty: true })
  const first = 'create table a (id int)'
  const second =
    'alter table a add column b text;\n--> statement-breakpoint\ninsert into a values (1, $$x;y$$)'
  expect(await migrate(url, await migrationsOf(first))).toMatchObject({ features: 1 })
  expect(await migrate(url, await migrationsOf(first, second))).toMatchObject({ features: 1 })
  expect((await onServer(url, 'select * from a')).rows).toEqual([{ id: 1, b: 'x;y' }])
})

describe('a migration that fails', () => {
  test('applies nothing, not even those before it, and says what PostgreSQL says', async () => {
    const url = await makeDatabase({ empty: true })
    const good = 'create table good (id int)'
    const bad = await migrationsOf(good, 'alter table missing add column b text')
    await expect(migrate(url, bad)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('"missing" does not exist') },
    })
    expect(await tables(url)).toEqual([])
    const both = await migrationsOf(good, 'create table better (id int)')
    expect(await migrate(url, both)).toMatchObject({ features: 2 })
    expect(await tables(url)).toEqual(expect.arrayContaining(['public.better', 'public.good']))
  })

  test('lets the next one in: its turn is over', async () => {
    const url = await makeDatabase({ empty: true })
    const bad = await migrationsOf('select 1/0')
    const results = await Promise.allSettled([migrate(url, bad), migrate(url, bad), migrate(url, migrations)])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    expect(await tables(url)).toContain('runtime.idempotency_keys')
  })
})

describe('a table that someone else holds', () => {
  test('is waited for no longer than 5 s, so that those behind in the queue are served again', async () => {
    const url = await makeDatabase({ empty: true })
    const settings = `create table settings as select current_setting('lock_timeout') as lock_timeout,
      current_setting('application_name') as application_name`
    await migrate(url, await migrationsOf(settings))
    expect((await onServer(url, 'select * from settings')).rows).toEqual([
      { lock_timeout: '5s', application_name: 'migrate' },
    ])
  })

  test('fails the migration, which applies nothing and can be tried again', async () => {
    const url = await makeDatabase()
    const folder = await migrationsOf(
      'set local lock_timeout = 10;\n--> statement-breakpoint\nalter table runtime.idempotency_keys add column note text',
    )
    const other = await openSession(url)
    await other.query('begin')
    await other.query('select 1 from runtime.idempotency_keys')
    await expect(migrate(url, folder)).rejects.toMatchObject({ cause: { code: '55P03' } })
    await other.query('commit')
    expect(await migrate(url, folder)).toEqual({ runtime: 0, features: 1 })
  })
})

test('a migration whose connection is killed rejects, and has applied nothing', async () => {
  const url = await makeDatabase()
  const folder = await migrationsOf('create table half (id int)', 'lock table runtime.idempotency_keys')
  const other = await openSession(url)
  await other.query('begin')
  await other.query('lock table runtime.idempotency_keys')
  const migrated = expect(migrate(url, folder)).rejects.toMatchObject({
    cause: { message: expect.stringContaining('terminat') },
  })
  await lockWaits(url)
  await other.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'migrate' and datname = current_database()",
  )
  await migrated
  await other.query('rollback')
  expect(await tables(url)).not.toContain('public.half')
})
