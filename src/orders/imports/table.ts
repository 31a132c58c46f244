import { sql } from 'drizzle-orm'
import { check, integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { now } from '#runtime'

/** The states of an import. */
export const importStates = ['reading', 'placing', 'done', 'failed'] as const

/** Files of orders that callers have sent. */
export const orderImports = pgTable(
  'order_imports',
  {
    id: uuid('id').primaryKey(),
    owner: text('owner').notNull(),
    /** What was sent. It is empty when the import has ended. */
    file: text('file').notNull(),
    state: text('state', { enum: importStates }).notNull().default('reading'),
    /** Why the file cannot be read. */
    failure: text('failure'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().default(now),
  },
  (table) => [check('order_imports_state', sql`${table.state} in ('reading', 'placing', 'done', 'failed')`)],
)

/** The lines of these files. Each becomes an order, or has an error. */
export const orderImportLines = pgTable(
  'order_import_lines',
  {
    importId: uuid('import_id')
      .notNull()
      .references(() => orderImports.id),
    /** Where the line begins in the file. The header is line 1. */
    line: integer('line').notNull(),
    item: text('item'),
    quantity: integer('quantity'),
    error: text('error'),
    /** The order that was placed. */
    orderId: uuid('order_id'),
  },
  (table) => [primaryKey({ columns: [table.importId, table.line] })],
)

/** A row of `order_imports`. */
export type ImportRow = typeof orderImports.$inferSelect

/** A line that was read: an order, or an error. */
export type ReadLine = Pick<typeof orderImportLines.$inferInsert, 'line' | 'item' | 'quantity' | 'error'>
