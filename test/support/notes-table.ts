import { sql } from 'drizzle-orm'
import { check, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core'

/** Notes; each belongs to the subject of the token that wrote it. */
export const notesTable = pgTable(
  'test_notes',
  {
    /** UUIDv7: sorts by age. */
    id: uuid('id').primaryKey(),
    owner: text('owner').notNull(),
    text: text('text').notNull(),
    pages: integer('pages').notNull(),
    status: text('status', { enum: ['open', 'closed'] })
      .notNull()
      .default('open'),
    version: integer('version').notNull().default(1),
  },
  (table) => [check('test_notes_pages', sql`${table.pages} between 1 and 1000`)],
)

/** A row of the table. */
export type NoteRow = typeof notesTable.$inferSelect

/** Makes the table: part of each test's database, and of no migration. A feature of the service may have `notes`. */
export const createNotesTable = `
  create table test_notes (
    id uuid primary key,
    owner text not null,
    text text not null,
    pages integer not null constraint test_notes_pages check (pages between 1 and 1000),
    status text not null default 'open',
    version integer not null default 1
  )`
