import { randomUUIDv7 } from 'node:crypto'
import { and, desc, eq, gt, isNotNull, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import { type Database, fromNow, now, Problem, type Reader, type Transaction } from '#runtime'
import { webhookProblems } from './problems.ts'
import { createSecret } from './sign.ts'
import { type WebhookRow, webhookSecrets, webhooks } from './table.ts'

/** How many webhooks an owner may have. Each event costs a row and a task for each of them. */
export const maxWebhooks = 20

/** How long the secret before the current one signs as well. */
const overlapMs = 24 * 3_600_000

/**
 * Inserts a webhook and its secret.
 *
 * @returns the webhook, and the secret, which nothing else returns
 * @throws {Problem} WEBHOOK_LIMIT_REACHED
 */
export async function insertWebhook(
  tx: Transaction,
  webhook: Pick<WebhookRow, 'owner' | 'url' | 'events'>,
): Promise<{ row: WebhookRow; secret: string }> {
  const { owner } = webhook
  // two requests at once would both count one too few
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`webhooks ${owner}`}, 0))`)
  if ((await tx.$count(webhooks, eq(webhooks.owner, owner))) >= maxWebhooks)
    throw new Problem(webhookProblems.WEBHOOK_LIMIT_REACHED, {
      detail: `You have ${maxWebhooks}: delete one, or change one.`,
    })
  const [row] = await tx
    .insert(webhooks)
    .values({ ...webhook, id: randomUUIDv7() })
    .returning()
  const inserted = row as WebhookRow
  return { row: inserted, secret: await insertSecret(tx, inserted.id) }
}

/** Lists the owner's webhooks that are older than the cursor's, newest first. */
export function listWebhooks(
  database: Database,
  owner: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<WebhookRow[]> {
  return database
    .select()
    .from(webhooks)
    .where(and(eq(webhooks.owner, owner), cursor ? lt(webhooks.id, cursor) : undefined))
    .orderBy(desc(webhooks.id))
    .limit(limit)
}

/** Finds an owner's webhook. @throws {Problem} WEBHOOK_NOT_FOUND */
export async function findWebhook(database: Database, owner: string, id: string): Promise<WebhookRow> {
  return found(await database.select().from(webhooks).where(isOf(owner, id)))
}

/**
 * Finds an owner's webhook and locks it until the end of the transaction. All that writes to a webhook, its secrets or its
 * deliveries locks the webhook first, so that no deadlock can happen.
 *
 * @throws {Problem} WEBHOOK_NOT_FOUND
 */
export async function lockWebhook(tx: Transaction, owner: string, id: string): Promise<WebhookRow> {
  return found(await tx.select().from(webhooks).where(isOf(owner, id)).for('no key update'))
}

/** Writes what has changed of a webhook. */
export async function updateWebhook(
  tx: Transaction,
  before: WebhookRow,
  change: { url?: string | undefined; events?: string[] | undefined; enabled?: boolean | undefined },
): Promise<WebhookRow> {
  const { url = before.url, events = before.events, enabled = before.disabledAt === null } = change
  const state = enabled
    ? { disabledAt: null, disabledReason: null }
    : { disabledAt: before.disabledAt ?? now, disabledReason: before.disabledReason ?? ('owner' as const) }
  const startsAgain = url !== before.url || (enabled && before.disabledAt !== null)
  const [row] = await tx
    .update(webhooks)
    .set({ url, events, ...state, ...(startsAgain && { failingSince: null }) })
    .where(eq(webhooks.id, before.id))
    .returning()
  return row as WebhookRow
}

/** Deletes an owner's webhook, and with it its secrets and deliveries. @throws {Problem} WEBHOOK_NOT_FOUND */
export async function deleteWebhook(database: Database, owner: string, id: string): Promise<void> {
  found(await database.delete(webhooks).where(isOf(owner, id)).returning())
}

/**
 * Gives a locked webhook a new secret. The one before it signs as well for a day; one that was before that is deleted.
 *
 * @returns the new secret
 */
export async function rotateSecret(tx: Transaction, webhookId: string): Promise<string> {
  const ofWebhook = eq(webhookSecrets.webhookId, webhookId)
  await tx.delete(webhookSecrets).where(and(ofWebhook, isNotNull(webhookSecrets.expiresAt)))
  await tx
    .update(webhookSecrets)
    .set({ expiresAt: fromNow(overlapMs) })
    .where(ofWebhook)
  return insertSecret(tx, webhookId)
}

/** The secrets that sign now, the newest first. */
export async function listSecrets(database: Reader, webhookId: string): Promise<string[]> {
  const { expiresAt } = webhookSecrets
  const isValid = or(isNull(expiresAt), gt(expiresAt, now))
  const rows = await database
    .select({ secret: webhookSecrets.secret })
    .from(webhookSecrets)
    .where(and(eq(webhookSecrets.webhookId, webhookId), isValid))
    .orderBy(sql`${expiresAt} desc nulls first`)
  return rows.map(({ secret }) => secret)
}

async function insertSecret(tx: Transaction, webhookId: string): Promise<string> {
  const secret = createSecret()
  await tx.insert(webhookSecrets).values({ id: randomUUIDv7(), webhookId, secret })
  return secret
}

function isOf(owner: string, id: string): SQL | undefined {
  return and(eq(webhooks.id, id), eq(webhooks.owner, owner))
}

function found([row]: readonly WebhookRow[]): WebhookRow {
  if (!row) throw new Problem(webhookProblems.WEBHOOK_NOT_FOUND)
  return row
}
