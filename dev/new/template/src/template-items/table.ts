import { index, integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { now } from '#runtime'

/** Template items. Each belongs to the subject of the token that created it. */
export const templateItems = pgTable(
  'template_items',
  {
    /** UUIDv7: sorts by age. */
    id: uuid('id').primaryKey(),
    owner: text('owner').notNull(),
    name: text('name').notNull(),
    /** Counts the changes. It is the entity tag. */
    version: integer('version').notNull().default(1),
    /** When the task has prepared it; NULL before. */
    preparedAt: timestamp('prepared_at', { withTimezone: true, precision: 3 }),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().default(now),
  },
  (table) => [index('template_items_owner_id').on(table.owner, table.id)],
)

/** A row of `template_items`. */
export type TemplateItemRow = typeof templateItems.$inferSelect
