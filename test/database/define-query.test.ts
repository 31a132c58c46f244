import { randomUUIDv7 } from 'node:crypto'
import { and, asc, eq, gt } from 'drizzle-orm'
import { expect, expectTypeOf, test } from 'vitest'
import { defineQuery, type QueryValues } from '#src/runtime/database/define-query.ts'
import { createReader } from '#src/runtime/database/reader.ts'
import { type NoteRow, notesTable } from '#test/support/notes-table.ts'
import { testService } from '#test/support/service.ts'

const { database } = await testService({ features: [] })
const reader = createReader(database.$client)

type NewNote = Pick<NoteRow, 'id' | 'owner' | 'text' | 'pages'>
const insert = defineQuery((database, note: QueryValues<NewNote>) =>
  database.insert(notesTable).values(note).returning(),
)

let built = 0
const list = defineQuery(
  (database, { owner, text, pages }: QueryValues<{ owner: string; text?: string; pages?: number }>) => {
    built++
    return database
      .select({ text: notesTable.text })
      .from(notesTable)
      .where(
        and(
          eq(notesTable.owner, owner),
          text ? eq(notesTable.text, text) : undefined,
          pages ? gt(notesTable.pages, pages) : undefined,
        ),
      )
      .orderBy(asc(notesTable.text))
  },
)
const noteOf = (owner: string, text: string, pages = 1) => ({ id: randomUUIDv7(), owner, text, pages })

test('a query takes its values at each call, and gives Drizzle’s rows', async () => {
  const [tea] = await insert(database, noteOf('alice', 'tea', 3))
  expect(tea).toMatchObject({ owner: 'alice', text: 'tea', pages: 3, status: 'open', version: 1 })
  await insert(database, noteOf('alice', 'cup'))
  await insert(database, noteOf('bob', 'tea'))
  const rows = await list(database, { owner: 'alice' })
  expectTypeOf(rows).toEqualTypeOf<{ text: string }[]>()
  expect(rows).toEqual([{ text: 'cup' }, { text: 'tea' }])
  expect(await list(database, { owner: 'bob' })).toEqual([{ text: 'tea' }])
})

test('it is built once for each set of values that are given', async () => {
  await insert(database, noteOf('carol', 'a', 5))
  await insert(database, noteOf('carol', 'b', 1))
  built = 0
  for (const owner of ['carol', 'nobody', 'carol']) {
    const found = owner === 'carol'
    expect(await list(database, { owner })).toHaveLength(found ? 2 : 0)
    expect(await list(database, { owner, pages: 2 })).toEqual(found ? [{ text: 'a' }] : [])
    expect(await list(database, { owner, text: 'b' })).toEqual(found ? [{ text: 'b' }] : [])
    expect(await list(database, { owner, text: 'b', pages: 2 })).toEqual([])
  }
  expect(built).toBeLessThanOrEqual(4)
  built = 0
  await list(database, { owner: 'carol', text: 'b' })
  expect(built).toBe(0)
})

test('it runs where it is told to: in its own transaction, on the database, on a reader', async () => {
  const both = Promise.withResolvers<void>()
  let open = 0
  const write = (owner: string) =>
    database.transaction(async (tx) => {
      if (++open === 2) both.resolve()
      await both.promise
      await insert(tx, noteOf(owner, 'tea'))
      expect(await list(tx, { owner }), owner).toEqual([{ text: 'tea' }])
      expect(await list(tx, { owner: owner === 'dave' ? 'erin' : 'dave' }), 'of the other').toEqual([])
      if (owner === 'erin') throw new Error('rolled back')
    })
  const [dave, erin] = await Promise.allSettled([write('dave'), write('erin')])
  expect([dave.status, erin.status]).toEqual(['fulfilled', 'rejected'])
  expect(await list(reader, { owner: 'dave' })).toEqual([{ text: 'tea' }])
  expect(await list(database, { owner: 'erin' })).toEqual([])
  await expect(insert(reader, noteOf('frank', 'x'))).rejects.toMatchObject({ cause: { code: '25006' } })
})

test('inside a transaction it cannot be sent to the database', async () => {
  const inside = database.transaction(() => list(database, { owner: 'alice' }))
  await expect(inside).rejects.toMatchObject({
    cause: { message: expect.stringContaining('inside a transaction') },
  })
})

test('a value that PostgreSQL refuses is an error of the call', async () => {
  await expect(insert(database, { ...noteOf('gina', 'x'), pages: 0 })).rejects.toMatchObject({
    cause: { constraint: 'test_notes_pages' },
  })
  expect(await list(database, { owner: 'gina' })).toEqual([])
})
