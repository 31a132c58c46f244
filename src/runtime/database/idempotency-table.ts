import { index, integer, jsonb, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'
import { now } from './now.ts'
import { bytea, runtimeSchema } from './schema.ts'

/** The first answer to each idempotency key, for 24 hours. */
export const idempotencyKeys = runtimeSchema.table(
  'idempotency_keys',
  {
    /** The caller's issuer and subject: keys are per caller. */
    caller: text('caller').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of method, path and body, in base64url. */
    fingerprint: text('fingerprint').notNull(),
    status: integer('status').notNull(),
    /** Pairs of name and value, in order: a name, such as Set-Cookie, may have several. */
    headers: jsonb('headers').$type<[name: string, value: string][]>().notNull(),
    /** Byte for byte; null where the response has none. */
    body: bytea('body'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.caller, table.key] }),
    index('idempotency_keys_created_at').on(table.createdAt),
  ],
)
