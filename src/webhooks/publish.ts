import { randomUUIDv7 } from 'node:crypto'
import { and, arrayOverlaps, eq, isNull, sql } from 'drizzle-orm'
import { defineQuery, enqueue, now, type QueryValues, type Transaction } from '#runtime'
import { patternsOf } from './events.ts'
import { type DeliveryRow, webhookDeliveries as deliveries, webhooks } from './table.ts'
import { deliver } from './tasks.ts'

/** Something that has happened, for those who want to know. */
export interface Event {
  /** Such as `order.placed`. Once others receive it, its name and its data are a contract: only add to them. */
  readonly type: string
  /** What the receiver gets in `data`: JSON must be able to hold it. */
  readonly data: unknown
}

const findWebhooks = defineQuery(
  (database, { owner, patterns }: QueryValues<{ owner: string; patterns: string[] }>) =>
    database
      .select({ id: webhooks.id })
      .from(webhooks)
      .where(
        and(eq(webhooks.owner, owner), isNull(webhooks.disabledAt), arrayOverlaps(webhooks.events, patterns)),
      )
      .for('key share'), // a webhook that is deleted meanwhile is left out, and not a violated foreign key
)

/**
 * Sends an event to the webhooks of its owner that ask for it. It writes in the caller's transaction: the event is sent if, and
 * only if, the transaction commits. An owner without webhooks costs one query.
 *
 * @param event.owner the subject whose webhooks get it
 * @throws {TypeError} for a type that is not the name of an event
 * @example
 * await publish(tx, { type: 'order.placed', owner: order.owner, data: presentOrder(order) })
 */
export async function publish(
  tx: Transaction,
  { owner, ...event }: Event & { owner: string },
): Promise<void> {
  const found = await findWebhooks(tx, { owner, patterns: patternsOf(event.type) })
  const ids = found.map(({ id }) => id)
  if (ids.length > 0) await insertDeliveries(tx, ids, event)
}

/** Writes a delivery of an event for each of these webhooks, and enqueues its task. @returns the deliveries */
export async function insertDeliveries(
  tx: Transaction,
  webhookIds: readonly string[],
  { type, data }: Event,
): Promise<DeliveryRow[]> {
  const { rows } = await tx.execute<{ ms: number }>(
    sql`select extract(epoch from ${now})::float8 * 1000 as ms`,
  )
  const body = JSON.stringify({ type, timestamp: new Date(rows[0]?.ms ?? 0).toISOString(), data })
  const eventId = randomUUIDv7()
  const values = webhookIds.map((webhookId) => ({
    ...{ id: randomUUIDv7(), webhookId, eventId, type, body, nextAttemptAt: now },
  }))
  const inserted = await tx.insert(deliveries).values(values).returning()
  for (const { id, turn } of inserted) await enqueue(tx, deliver, { deliveryId: id, turn })
  return inserted
}
