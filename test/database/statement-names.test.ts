import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import type { Database, Transaction } from '#runtime'
import { StatementNames } from '#src/runtime/database/statement-names.ts'
import { testService } from '#test/support/service.ts'

const { database } = await testService({ features: [] })

/** What the connection has planned of the statements that hold a word. */
async function planned(tx: Transaction, word: string): Promise<number> {
  const like = `%${word}%`
  const { rows } = await tx.execute<{ count: number }>(
    sql`select count(*)::int as count from pg_prepared_statements where statement like ${like} and statement not like '%pg_prepared_statements%'`,
  )
  return rows[0]?.count ?? 0
}

/** Runs a statement that holds a word. */
async function add(queries: Pick<Database, 'execute'>, word: string): Promise<number | undefined> {
  const { rows } = await queries.execute<{ sum: number }>(
    sql`select ${1}::int + ${2}::int as sum, ${sql.raw(`'${word}'`)} as word`,
  )
  return rows[0]?.sum
}

test('a statement that is sent again and again is planned once for each connection', async () => {
  await database.transaction(async (tx) => {
    for (const plans of [0, 0, 1, 1, 1]) {
      expect(await add(tx, 'again')).toBe(3)
      expect(await planned(tx, 'again')).toBe(plans)
    }
  })
  for (let times = 0; times < 4; times++) expect(await add(database, 'alone')).toBe(3)
  await database.transaction(async (tx) => expect(await planned(tx, 'alone')).toBe(1))
})

test('several statements in one text, which have no parameters, go on without a name', async () => {
  for (let times = 0; times < 5; times++)
    await database.transaction(async (tx) => {
      await tx.execute(sql.raw('select 1; select 2'))
      expect(await planned(tx, 'select 2')).toBe(0)
    })
})

test('a plan that a migration makes stale costs one transaction a 503, and no other', async () => {
  await database.execute(sql`create table ages (age int)`)
  await database.execute(sql`insert into ages values (40)`)
  const read = (tx: Transaction) => tx.execute(sql`select age from ages where age > ${1}`)
  for (let times = 0; times < 4; times++) await database.transaction(read)
  await database.execute(sql`alter table ages alter age type bigint`)
  await expect(database.transaction(read)).rejects.toMatchObject({
    cause: { definition: { code: 'DATABASE_UNAVAILABLE' }, cause: { code: '0A000' } },
  })
  for (let times = 0; times < 4; times++)
    expect((await database.transaction(read)).rows).toEqual([{ age: '40' }])
})

test('texts that differ each time leave room for one that is sent often, and names have an end', () => {
  const names = new StatementNames()
  const name = (text: string) => names.name({ text }, [1]).name
  for (let times = 0; times < 5_000; times++) expect(name(`select ${times}`)).toBeUndefined()
  expect(['often', 'often', 'often', 'often'].map(name)).toEqual([
    undefined,
    undefined,
    'runtime.1',
    'runtime.1',
  ])
  for (let count = 0; count < 500; count++) for (let times = 0; times < 3; times++) name(`text ${count}`)
  expect(name('text 0')).toBe('runtime.2')
  expect(name('text 499')).toBeUndefined()
  expect(names.name({ text: 'mine', name: 'find_it' }, [1]).name).toBe('find_it')
})
