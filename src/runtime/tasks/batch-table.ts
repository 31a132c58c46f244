import { index, integer, jsonb, primaryKey, smallint, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { now } from '../database/now.ts'
import { runtimeSchema } from '../database/schema.ts'

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** The batches: tasks that were enqueued together, and the final task, which follows when all of them have ended. */
export const batches = runtimeSchema.table(
  'batches',
  {
    id: uuid('id').primaryKey(),
    /** The name of its tasks. */
    name: text('name').notNull(),
    size: integer('size').notNull(),
    /** How many of its counters still have open tasks. */
    open: integer('open').notNull(),
    /** The final task. Its id is there before the task is. */
    finalId: uuid('final_id'),
    finalName: text('final_name'),
    finalPayload: jsonb('final_payload'),
    /** The request that enqueued it. */
    requestId: text('request_id'),
    traceId: text('trace_id'),
    subject: text('subject'),
    revision: text('revision'),
    createdAt: moment('created_at').notNull().default(now),
    cancelledAt: moment('cancelled_at'),
    finishedAt: moment('finished_at'),
  },
  (table) => [index('batches_by_end').on(table.finishedAt, table.id)],
)

/** A row of `runtime.batches`. */
export type BatchRow = typeof batches.$inferSelect

/**
 * The counters of each batch, up to 16: the last digit of a task's id says which one counts its end. So tasks that end at the
 * same time seldom wait for the same row. A trigger on `runtime.tasks` counts, at the end of the transaction.
 */
export const batchCounts = runtimeSchema.table(
  'batch_counts',
  {
    batchId: uuid('batch_id')
      .notNull()
      .references(() => batches.id, { onDelete: 'cascade' }),
    slot: smallint('slot').notNull(),
    /** How many of its tasks have not ended. */
    open: integer('open').notNull(),
    done: integer('done').notNull().default(0),
    dead: integer('dead').notNull().default(0),
    cancelled: integer('cancelled').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.batchId, table.slot] })],
)
