import { randomUUID } from 'node:crypto'
import { eq, sql } from 'drizzle-orm'
import { afterEach, expect, test } from 'vitest'
import { createReader } from '#src/runtime/database/reader.ts'
import { onServer } from '#test/support/database.ts'
import { notesTable } from '#test/support/notes-table.ts'
import { testService } from '#test/support/service.ts'

const { database, databaseUrl } = await testService({ features: [] })
const pool = database.$client
const reader = createReader(pool)
const id = randomUUID()
const note = sql.raw(
  `insert into test_notes (id, owner, text, pages) values ('${randomUUID()}', 'eve', 'x', 1)`,
)

await database.insert(notesTable).values({ id, owner: 'alice', text: 'tea', pages: 2 })
await onServer(
  databaseUrl,
  `create function write_note() returns int language plpgsql as
    $$ begin insert into test_notes (id, owner, text, pages) values (gen_random_uuid(), 'eve', 'x', 1); return 1; end $$`,
)
await onServer(databaseUrl, 'create sequence counter')

afterEach(async () => {
  expect(pool.idleCount, 'connections that are free again').toBe(pool.totalCount)
  const held = `select count(*)::int as count from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%'`
  expect((await onServer(databaseUrl, held)).rows).toEqual([{ count: 0 }])
  expect((await onServer(databaseUrl, 'select owner from test_notes')).rows).toEqual([{ owner: 'alice' }])
})

test('it reads as the database does', async () => {
  expect(await reader.select().from(notesTable).where(eq(notesTable.id, id))).toMatchObject([{ text: 'tea' }])
  expect(await reader.$count(notesTable)).toBe(1)
  expect((await reader.execute<{ one: number }>(sql`select ${1}::int as one`)).rows).toEqual([{ one: 1 }])
  expect(await Promise.all(Array.from({ length: 20 }, () => reader.$count(notesTable)))).toEqual(
    Array(20).fill(1),
  )
})

test.each([
  ['an insert', note],
  ['an update', sql`update test_notes set text = ${'x'}`],
  ['a delete', sql`delete from test_notes`],
  ['a delete in a with', sql`with gone as (delete from test_notes returning 1) select count(*) from gone`],
  ['a function that writes', sql`select write_note()`],
  ['a sequence', sql`select nextval('counter')`],
  ['a lock for writing', sql`select * from test_notes for update`],
  ['a new table', sql`create table mine (id int)`],
  ['truncating', sql`truncate test_notes`],
])('%s is refused by PostgreSQL', async (_what, statement) => {
  await expect(reader.execute(statement)).rejects.toMatchObject({ cause: { code: '25006' } })
})

test('a statement cannot leave its transaction with others at its back', async () => {
  const all = sql`commit; ${note}; begin`
  await expect(reader.execute(all)).rejects.toMatchObject({ cause: { code: '42601' } })
  await expect(reader.execute(sql`commit`)).rejects.toMatchObject({
    cause: { message: expect.stringContaining('ended the transaction') },
  })
  await reader.execute(sql`set transaction read write`)
  await expect(reader.execute(note)).rejects.toMatchObject({ cause: { code: '25006' } })
})

test('what a statement sets does not outlive it', async () => {
  await reader.execute(sql`set statement_timeout = '1ms'`)
  const { rows } = await reader.execute(sql`show statement_timeout`)
  expect(rows).not.toEqual([{ statement_timeout: '1ms' }])
})

test('a query that fails is what it throws, and the next one runs', async () => {
  await expect(reader.execute(sql`select 1 / 0`)).rejects.toMatchObject({ cause: { code: '22012' } })
  expect(await reader.$count(notesTable)).toBe(1)
})
