import {
  bigint,
  boolean,
  date,
  doublePrecision,
  integer,
  numeric,
  pgSchema,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'
import { defineSort } from '#runtime'

const schema = pgSchema('sorted')
const kinds = schema.enum('kinds', ['small', 'large'])
/** A table with a column of each kind. */
export const parcels = schema.table('parcels', {
  id: uuid('id').primaryKey(),
  owner: text('owner').notNull(),
  weight: integer('weight').notNull(),
  note: text('note'),
  kind: kinds('kind').notNull(),
  paid: boolean('paid').notNull(),
  price: numeric('price').notNull(),
  count: bigint('count', { mode: 'bigint' }).notNull(),
  day: date('day').notNull(),
  sentAt: timestamp('sent_at', { withTimezone: true, precision: 3 }),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  size: doublePrecision('size'),
})
/** A row of it. */
export type Parcel = typeof parcels.$inferSelect

/** Sorts by them. */
export const sorts = {
  weight: defineSort(parcels, { weight: 'asc', id: 'asc' }),
  heaviest: defineSort(parcels, { weight: 'desc', id: 'desc' }),
  mixed: defineSort(parcels, { weight: 'desc', id: 'asc' }),
  note: defineSort(parcels, { note: 'asc', id: 'asc' }),
  lastNote: defineSort(parcels, { note: 'desc', id: 'asc' }),
  sent: defineSort(parcels, { sentAt: 'desc', paid: 'asc', id: 'desc' }),
  many: defineSort(parcels, {
    kind: 'desc',
    paid: 'desc',
    day: 'desc',
    price: 'desc',
    count: 'desc',
    id: 'desc',
  }),
} as const
