import { sql } from 'drizzle-orm'
import { check, index, integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { now } from '#runtime'

/** The states of an order. */
export const orderStatuses = ['placed', 'fulfilled', 'cancelled'] as const

/** Orders. Each belongs to the subject of the token that placed it. */
export const orders = pgTable(
  'orders',
  {
    /** UUIDv7: sorts by age. */
    id: uuid('id').primaryKey(),
    owner: text('owner').notNull(),
    item: text('item').notNull(),
    quantity: integer('quantity').notNull(),
    status: text('status', { enum: orderStatuses }).notNull().default('placed'),
    /** The task that fulfils it. */
    taskId: uuid('task_id'),
    /** Counts the changes. It is the entity tag. */
    version: integer('version').notNull().default(1),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().default(now),
  },
  (table) => [
    index('orders_owner_id').on(table.owner, table.id),
    index('orders_owner_status').on(table.owner, table.status, table.id), // a list of a rare status
    index('orders_placed').on(table.createdAt).where(sql`${table.status} = 'placed'`),
    check('orders_status', sql`${table.status} in ('placed', 'fulfilled', 'cancelled')`),
    check('orders_quantity', sql`${table.quantity} between 1 and 1000`),
  ],
)

/** A row of `orders`. */
export type OrderRow = typeof orders.$inferSelect
