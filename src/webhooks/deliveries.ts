import { and, desc, eq, inArray, lt, ne, sql } from 'drizzle-orm'
import { type Database, fromNow, now, Problem, type Reader, type Transaction } from '#runtime'
import { webhookProblems } from './problems.ts'
import { type DeliveryRow, webhookDeliveries as deliveries, webhooks } from './table.ts'

/** A delivery whose task was enqueued this recently is about to be sent. */
const recentMs = 60_000

/** A delivery that a task sends, and the webhook that it goes to. */
export interface Dispatch
  extends Pick<DeliveryRow, 'id' | 'webhookId' | 'eventId' | 'type' | 'body' | 'turn' | 'attempts'> {
  readonly url: string
  readonly disabledAt: Date | null
}

/** Finds what a task sends; `undefined` if the webhook was deleted, or if a later task sends it. */
export async function findDispatch(
  database: Reader,
  { deliveryId, turn }: { deliveryId: string; turn: number },
): Promise<Dispatch | undefined> {
  const { id, webhookId, eventId, type, body, attempts } = deliveries
  const { url, disabledAt } = webhooks
  const [row] = await database
    .select({ id, webhookId, eventId, type, body, turn: deliveries.turn, attempts, url, disabledAt })
    .from(deliveries)
    .innerJoin(webhooks, eq(webhooks.id, webhookId))
    .where(and(eq(id, deliveryId), eq(deliveries.turn, turn), eq(deliveries.status, 'pending')))
  return row
}

/** Lists a webhook's deliveries that are older than the cursor's, newest first. */
export function listDeliveries(
  database: Database,
  webhookId: string,
  page: { limit: number; cursor?: string | undefined; status?: DeliveryRow['status'] | undefined },
): Promise<DeliveryRow[]> {
  const { limit, cursor, status } = page
  return database
    .select()
    .from(deliveries)
    .where(
      and(
        eq(deliveries.webhookId, webhookId),
        cursor ? lt(deliveries.id, cursor) : undefined,
        status ? eq(deliveries.status, status) : undefined,
      ),
    )
    .orderBy(desc(deliveries.id))
    .limit(limit)
}

/**
 * Makes a delivery pending at a new turn, so that the task of an earlier turn sends nothing. A delivery that is about to be
 * sent does not change: two requests at once send it once.
 *
 * @returns the delivery, and whether it needs a task
 * @throws {Problem} WEBHOOK_DELIVERY_NOT_FOUND
 */
export async function startAgain(
  tx: Transaction,
  webhookId: string,
  id: string,
): Promise<{ row: DeliveryRow; isNew: boolean }> {
  const which = and(eq(deliveries.id, id), eq(deliveries.webhookId, webhookId))
  const isAboutToBeSent = sql`(${deliveries.nextAttemptAt} between ${fromNow(-recentMs)} and ${now})`
  const [again] = await tx
    .update(deliveries)
    .set({ status: 'pending', turn: sql`${deliveries.turn} + 1`, attempts: 0, nextAttemptAt: now })
    .where(and(which, sql`${isAboutToBeSent} is not true`))
    .returning()
  if (again) return { row: again, isNew: true }
  const [row] = await tx.select().from(deliveries).where(which)
  if (!row) throw new Problem(webhookProblems.WEBHOOK_DELIVERY_NOT_FOUND)
  return { row, isNew: false }
}

/** Ends a delivery that was not sent. */
export async function cancelDelivery(
  tx: Transaction,
  { id, turn }: Dispatch,
  lastError: string,
): Promise<void> {
  await tx
    .update(deliveries)
    .set({ status: 'cancelled', nextAttemptAt: null, lastError })
    .where(and(eq(deliveries.id, id), eq(deliveries.turn, turn)))
}

/** Deletes deliveries that are older than `keepSeconds` and will not be sent. @returns how many */
export async function pruneDeliveries(tx: Transaction, keepSeconds: number, limit: number): Promise<number> {
  const old = tx
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(and(ne(deliveries.status, 'pending'), lt(deliveries.createdAt, fromNow(-keepSeconds * 1000))))
    .limit(limit)
    .for('update', { skipLocked: true })
  const { rowCount } = await tx.delete(deliveries).where(inArray(deliveries.id, old))
  return rowCount ?? 0
}
