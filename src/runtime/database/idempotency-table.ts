import { index, integer, jsonb, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'
import { now } from './now.ts'
import { bytea, runtimeSchema } from './schema.ts'

/** The first response to each idempotency key, for 24 hours. */
export const idempotencyKeys = runtimeSchema.table(
  'idempotency_keys',
  {
    /** The caller's issuer and subject. Each caller has keys of its own. */
    caller: text('caller').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of method, path and body, in base64url. */
    fingerprint: text('fingerprint').notNull(),
    status: integer('status').notNull(),
    /** Pairs of name and value, in order. A name may occur several times. */
    headers: jsonb('headers').$type<[name: string, value: string][]>().notNull(),
    /** The exact bytes; null if the response has no body. */
    body: bytea('body'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.caller, table.key] }),
    index('idempotency_keys_created_at').on(table.createdAt),
  ],
)
