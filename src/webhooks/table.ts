import { sql } from 'drizzle-orm'
import { check, index, integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { now } from '#runtime'

/** Why no events are sent to a webhook: its owner, its receiver (410 Gone), or days of failures. */
export const disabledReasons = ['owner', 'gone', 'failing'] as const

/** The states of a delivery. Only a pending one will be sent. */
export const deliveryStatuses = ['pending', 'delivered', 'failed', 'cancelled'] as const

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** Webhooks: where each owner wants to have events sent. */
export const webhooks = pgTable(
  'webhooks',
  {
    /** UUIDv7: sorts by age. */
    id: uuid('id').primaryKey(),
    owner: text('owner').notNull(),
    url: text('url').notNull(),
    /** Names of events, or patterns such as `order.*`. */
    events: text('events').array().notNull(),
    /** NULL while it is enabled. */
    disabledAt: moment('disabled_at'),
    disabledReason: text('disabled_reason', { enum: disabledReasons }),
    /** The first failure since the last success. */
    failingSince: moment('failing_since'),
    createdAt: moment('created_at').notNull().default(now),
  },
  (table) => [
    index('webhooks_owner_id').on(table.owner, table.id),
    check('webhooks_reason', sql`${table.disabledReason} in ('owner', 'gone', 'failing')`),
    check('webhooks_disabled', sql`(${table.disabledAt} is null) = (${table.disabledReason} is null)`),
  ],
)

/** The secrets that sign. They have a table of their own, so that no query for a webhook can show one. */
export const webhookSecrets = pgTable(
  'webhook_secrets',
  {
    id: uuid('id').primaryKey(),
    webhookId: uuid('webhook_id')
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    secret: text('secret').notNull(),
    /** NULL for the current one. The one before it signs as well until then. */
    expiresAt: moment('expires_at'),
  },
  (table) => [index('webhook_secrets_webhook').on(table.webhookId, table.id)],
)

/** Deliveries: an event on its way to one webhook, and what became of it. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    /** UUIDv7: sorts by age. */
    id: uuid('id').primaryKey(),
    webhookId: uuid('webhook_id')
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    /** The same for all webhooks that the event is sent to, and for all attempts. */
    eventId: uuid('event_id').notNull(),
    type: text('type').notNull(),
    /** What is sent and signed. It stays the same for all attempts. */
    body: text('body').notNull(),
    status: text('status', { enum: deliveryStatuses }).notNull().default('pending'),
    /** Counts the tasks that were enqueued for it. A task with an older number sends nothing. */
    turn: integer('turn').notNull().default(1),
    attempts: integer('attempts').notNull().default(0),
    lastStatus: integer('last_status'),
    lastError: text('last_error'),
    durationMs: integer('duration_ms'),
    attemptedAt: moment('attempted_at'),
    /** When it is sent next; NULL unless it is pending. */
    nextAttemptAt: moment('next_attempt_at'),
    createdAt: moment('created_at').notNull().default(now),
  },
  (table) => [
    index('webhook_deliveries_webhook_id').on(table.webhookId, table.id),
    index('webhook_deliveries_webhook_status').on(table.webhookId, table.status, table.id),
    index('webhook_deliveries_finished').on(table.createdAt).where(sql`${table.status} <> 'pending'`),
    check(
      'webhook_deliveries_status',
      sql`${table.status} in ('pending', 'delivered', 'failed', 'cancelled')`,
    ),
    check(
      'webhook_deliveries_next',
      sql`(${table.status} = 'pending') = (${table.nextAttemptAt} is not null)`,
    ),
  ],
)

/** A row of `webhooks`. */
export type WebhookRow = typeof webhooks.$inferSelect

/** A row of `webhook_deliveries`. */
export type DeliveryRow = typeof webhookDeliveries.$inferSelect
