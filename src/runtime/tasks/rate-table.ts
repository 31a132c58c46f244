import { index, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'
import { runtimeSchema } from '../database/schema.ts'

const moment = (name: string) => timestamp(name, { withTimezone: true })

/** When the last attempts of tasks with a rate started, by name and key. */
export const rates = runtimeSchema.table(
  'rates',
  {
    name: text('name').notNull(),
    key: text('key').notNull(),
    /** The last starts, the newest last: as many as one period may have. */
    starts: moment('starts').array().notNull(),
    /** When the last of the tasks that have to wait is due. The next one is due later. */
    lastDue: moment('last_due').notNull(),
    /** When the task that asked last is due; null if it was allowed to start. */
    due: moment('due'),
    expiresAt: moment('expires_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.name, table.key] }), index('rates_expired').on(table.expiresAt)],
)
