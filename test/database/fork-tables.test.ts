import { execFileSync } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { migrate } from '#src/runtime/database/migrate.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { temporaryFolder } from '#test/support/migrations.ts'

const parcels = "export const parcels = pgTable('parcels', { id: uuid('id').primaryKey() })"
const tasks = `export const tasks = pgTable('tasks', {
  id: uuid('id').primaryKey(),
  title: text('title').notNull(),
  createdAt: timestamp('created_at').notNull().default(now),
})`

/** What `npm run migration` reads, and an example of a feature in it, which has one migration. */
const example = await makeExample()

async function makeExample(): Promise<string> {
  const folder = await temporaryFolder()
  for (const name of ['package.json', 'drizzle.config.ts', 'src/runtime'])
    await cp(name, join(folder, name), { recursive: true })
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  await cp('migrations/runtime', join(folder, 'migrations/runtime'), { recursive: true })
  await writeTable(folder, 'parcels', parcels)
  await generate(folder, 'parcels')
  return folder
}

/** Writes a feature's table, or takes the feature out. */
async function writeTable(folder: string, feature: string, code?: string): Promise<void> {
  await rm(join(folder, 'src', feature), { recursive: true, force: true })
  if (!code) return
  await mkdir(join(folder, 'src', feature))
  const imports = "import { pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'"
  const now = "import { now } from '#src/runtime/database/now.ts'"
  await writeFile(join(folder, 'src', feature, 'table.ts'), `${imports}\n${now}\n${code}`)
}

/** The names of the files that `npm run migration` has written. */
async function written(folder: string): Promise<string[]> {
  return (await readdir(join(folder, 'migrations/features'))).filter((name) => name.endsWith('.sql'))
}

/** Runs `npm run migration`. Returns what it wrote. */
async function generate(folder: string, name: string): Promise<string> {
  const kit = ['node_modules/drizzle-kit/bin.cjs', 'generate', `--name=${name}`]
  execFileSync(process.execPath, kit, { cwd: folder, encoding: 'utf8' })
  const file = (await written(folder)).find((file) => file.endsWith(`_${name}.sql`))
  return file ? (await readFile(join(folder, 'migrations/features', file), 'utf8')).trim() : ''
}

/** A copy of the example. */
async function fork() {
  const folder = await temporaryFolder()
  await cp(example, folder, { recursive: true, verbatimSymlinks: true })
  return {
    migrations: join(folder, 'migrations'),
    table: (feature: string, code?: string) => writeTable(folder, feature, code),
    migration: (name: string) => generate(folder, name),
    written: () => written(folder),
  }
}

async function columns(url: string, schema: string): Promise<number> {
  const count = 'select count(*)::int as count from information_schema.columns where table_name = $1'
  const { rows } = await onServer(url, `${count} and table_schema = $2`, ['tasks', schema])
  return rows[0].count
}

test('a table tasks of a fork makes a migration that creates it, and touches nothing of the runtime’s', async () => {
  const { migrations, table, migration } = await fork()
  await table('todos', tasks)
  const sql = await migration('todos')
  expect(sql).toMatch(/^CREATE TABLE "tasks" \([^;]*\);$/)
  expect(sql).toContain('DEFAULT runtime.service_now()')
  expect(await migration('again')).toBe('')

  const url = await makeDatabase() // which has the runtime's already
  const before = await columns(url, 'runtime')
  await onServer(url, 'drop schema drizzle cascade')
  expect(await migrate(url, migrations)).toEqual({ runtime: 0, features: 2 })
  expect(before).toBeGreaterThan(20)
  expect([await columns(url, 'runtime'), await columns(url, 'public')]).toEqual([before, 3])
})

test.each([
  ['first, and a feature comes later', ['parcels', 'todos']],
  ['once another feature stands', ['todos', 'parcels']],
])('a feature goes %s: on a new database, and on one that has its rows', async (_when, order) => {
  const { migrations, table, migration, written } = await fork()
  const old = await makeDatabase({ empty: true })
  await migrate(old, migrations)
  await onServer(old, 'insert into parcels values (gen_random_uuid())')

  for (const feature of order) {
    const goes = feature === 'parcels'
    await table(feature, goes ? undefined : tasks)
    const sql = await migration(goes ? 'without_parcels' : 'todos')
    if (goes) expect(sql).toBe('DROP TABLE "parcels" CASCADE;')
  }
  expect(await written()).toHaveLength(3)
  const fresh = await makeDatabase({ empty: true })
  expect(await migrate(fresh, migrations)).toMatchObject({ features: 3 })
  expect(await migrate(old, migrations)).toEqual({ runtime: 0, features: 2 })
  const names = "select tablename as name from pg_tables where schemaname = 'public'"
  for (const url of [fresh, old]) expect((await onServer(url, names)).rows).toEqual([{ name: 'tasks' }])
})
