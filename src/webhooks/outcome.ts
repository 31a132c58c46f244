import { and, eq, lt } from 'drizzle-orm'
import { fromNow, now, type Transaction } from '#runtime'
import type { Dispatch } from './deliveries.ts'
import { webhookDeliveries as deliveries, type WebhookRow, webhooks } from './table.ts'

/** What became of an attempt to send. */
export interface Outcome {
  /** The status of the response; absent if there was none. */
  readonly status?: number
  /** For the owner of the webhook: why there was no response, or what was wrong with it. */
  readonly error?: string
  /** Absent if no request was sent. */
  readonly durationMs?: number
  /** How long the receiver asks to wait. */
  readonly retryAfterMs?: number
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** The waits before the second to the eighth attempt: a day in all. Standard Webhooks proposes such a list. */
const waitsMs = [5_000, 5 * minuteMs, 30 * minuteMs, 2 * hourMs, 5 * hourMs, 8 * hourMs, 10 * hourMs]

/** The longest wait that a receiver can ask for. */
const maxAskedMs = 24 * hourMs

/** A webhook is disabled when a delivery is given up and nothing was delivered for this long. */
const failingMs = 5 * 24 * hourMs

/**
 * Writes what became of an attempt: to the delivery, and to the webhook, which it may disable. It locks the webhook first: see
 * `lockWebhook`.
 *
 * @returns when the delivery is to be sent again, and the turn of that task; `undefined` if it is not
 */
export async function recordOutcome(
  tx: Transaction,
  { id, webhookId, turn, attempts }: Dispatch,
  outcome: Outcome,
): Promise<{ turn: number; delayMs: number } | undefined> {
  const { status, error, durationMs } = outcome
  const [webhook] = await tx.select().from(webhooks).where(eq(webhooks.id, webhookId)).for('no key update')
  if (!webhook) return // it was deleted, and the delivery with it
  const isDelivered = isSuccess(status)
  const delayMs = isDelivered || status === 410 ? undefined : waitAfter(attempts, outcome)
  await updateHealth(tx, webhook, { isDelivered, isGone: status === 410, isGivenUp: delayMs === undefined })
  const next = delayMs === undefined ? undefined : { turn: turn + 1, delayMs }
  const [row] = await tx
    .update(deliveries)
    .set({
      status: isDelivered ? 'delivered' : next ? 'pending' : 'failed',
      turn: next?.turn ?? turn,
      attempts: attempts + 1,
      lastStatus: status ?? null,
      lastError: error ?? null,
      durationMs: durationMs ?? null,
      attemptedAt: now,
      nextAttemptAt: next ? fromNow(next.delayMs) : null,
    })
    .where(and(eq(deliveries.id, id), eq(deliveries.turn, turn)))
    .returning({ id: deliveries.id })
  return row && next // without a row, its owner has asked to send it again meanwhile
}

/** Whether the receiver has accepted it. */
export function isSuccess(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300
}

/** Up to a tenth is added at random, so that what failed together is not sent again together. */
function waitAfter(attempts: number, { retryAfterMs = 0 }: Outcome): number | undefined {
  const waitMs = waitsMs[attempts]
  if (waitMs === undefined) return undefined
  return Math.max(Math.round(waitMs * (1 + Math.random() / 10)), Math.min(retryAfterMs, maxAskedMs))
}

async function updateHealth(
  tx: Transaction,
  { id, failingSince, disabledAt }: WebhookRow,
  found: { isDelivered: boolean; isGone: boolean; isGivenUp: boolean },
): Promise<void> {
  const which = eq(webhooks.id, id)
  if (found.isDelivered) {
    if (failingSince) await tx.update(webhooks).set({ failingSince: null }).where(which)
    return
  }
  if (!failingSince) await tx.update(webhooks).set({ failingSince: now }).where(which)
  if (disabledAt || !found.isGivenUp) return
  const disabledReason = found.isGone ? ('gone' as const) : ('failing' as const)
  const sinceLong = lt(webhooks.failingSince, fromNow(-failingMs))
  await tx
    .update(webhooks)
    .set({ disabledAt: now, disabledReason })
    .where(found.isGone ? which : and(which, sinceLong))
}
