import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { migrate } from '#src/runtime/database/migrate.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { firstMade, migrationsOf, temporaryFolder, writeSet } from '#test/support/migrations.ts'

const later = firstMade + 1000
const mine = 'create table mine (id int)'
const theirs = 'create table theirs (id int)'

/** Folders of both sets: one set with these statements, the other with a migration that does nothing. */
async function sets(of: 'runtime' | 'features', statements: string[], times: number[]): Promise<string> {
  const folder = await temporaryFolder()
  await writeSet(join(folder, of), statements, times)
  await writeSet(join(folder, of === 'runtime' ? 'features' : 'runtime'), ['select 1'])
  return folder
}

async function tables(url: string): Promise<string[]> {
  const names = "select tablename as name from pg_tables where schemaname = 'public' order by 1"
  return (await onServer(url, names)).rows.map(({ name }) => name)
}

describe.each([
  ['features', 'migration'],
  ['runtime', 'migration:runtime'],
] as const)('of the %s', (of, script) => {
  test.each([
    ['before', [mine, theirs], [firstMade, later]],
    ['behind', [theirs, mine], [later, firstMade]],
  ])(
    'an older migration that a merge put %s the newest is refused by its name, and none is applied',
    async (_where, statements, times) => {
      const url = await makeDatabase({ empty: true })
      await migrate(url, await sets(of, [theirs], [later]))
      const another = [...statements, 'create table another (id int)']
      const merged = await sets(of, another, [...times, later + 1])
      const number = statements.indexOf(mine)
      await expect(migrate(url, merged)).rejects.toThrow(
        `${merged}/${of}: this database lacks 000${number}_trial.sql (created 2096-10-02T07:06:40.000Z), but`,
      )
      await expect(migrate(url, merged)).rejects.toThrow(`run \`npm run ${script}\`.`)
      expect(await tables(url)).toEqual(['theirs'])
    },
  )

  test('one that was created again is applied, as the last', async () => {
    const url = await makeDatabase({ empty: true })
    await migrate(url, await sets(of, [theirs], [firstMade]))
    const merged = await sets(of, [theirs, mine], [firstMade, later])
    expect(await migrate(url, merged)).toMatchObject({ [of]: 1 })
    expect(await tables(url)).toEqual(['mine', 'theirs'])
  })

  test('an older image changes nothing', async () => {
    const url = await makeDatabase({ empty: true })
    await migrate(url, await sets(of, [theirs, mine], [firstMade, later]))
    expect(await migrate(url, await sets(of, [theirs], [firstMade]))).toEqual({ runtime: 0, features: 0 })
    expect(await tables(url)).toEqual(['mine', 'theirs'])
  })
})

test('a table that is there already, of migrations that are not in the folder, is told with what to do', async () => {
  const url = await makeDatabase({ empty: true })
  await migrate(url, await migrationsOf(mine, theirs))
  const replaced = await sets('features', [mine], [later + 60_000])
  const refused = migrate(url, replaced)
  await expect(refused).rejects.toThrow('The database has 2 that are not in this folder')
  await expect(refused).rejects.toMatchObject({ cause: { cause: { code: '42P07' } } })
})

test('a database from before the runtime had a schema is refused, with what to do, and stays as it is', async () => {
  const url = await makeDatabase({ empty: true })
  await onServer(url, 'create schema drizzle')
  await onServer(url, 'create table drizzle.__drizzle_migrations (id serial, hash text, created_at bigint)')
  await onServer(
    url,
    "insert into drizzle.__drizzle_migrations (hash, created_at) values ('', 1795413447159)",
  )
  await onServer(url, 'create table tasks (id uuid)')
  await expect(migrate(url, 'migrations')).rejects.toThrow(
    'In development, delete the data and start again; elsewhere, restore the schema `runtime`',
  )
  expect(await tables(url)).toEqual(['tasks'])
  const schemas = "select nspname from pg_namespace where nspname = 'runtime'"
  expect((await onServer(url, schemas)).rowCount).toBe(0)
})
