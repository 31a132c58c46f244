import { and, eq, gt, sql } from 'drizzle-orm'
import type { Database, Transaction } from './database.ts'
import { idempotencyKeys } from './idempotency-table.ts'
import { now } from './now.ts'

/** An idempotency key of one caller. */
export interface CallerKey {
  readonly caller: string
  readonly key: string
}

/** The first response to an idempotency key, with the fingerprint of its request. */
export interface StoredResponse {
  readonly fingerprint: string
  readonly status: number
  /** Pairs of name and value, in order. */
  readonly headers: [name: string, value: string][]
  /** `null` for none. */
  readonly body: Buffer | null
}

const expiry = sql`${now} - interval '24 hours'`

/**
 * Locks the key until the transaction ends.
 *
 * @returns false, without waiting, if another transaction holds the lock
 */
export async function lockKey(tx: Transaction, { caller, key }: CallerKey): Promise<boolean> {
  const { rows } = await tx.execute<{ locked: boolean }>(
    sql`select pg_try_advisory_xact_lock(hashtextextended(${`${caller}\n${key}`}, 0)) as locked`,
  )
  return rows[0]?.locked === true
}

/** Finds the stored response, unless it is older than 24 hours. */
export async function findStoredResponse(
  tx: Transaction,
  { caller, key }: CallerKey,
): Promise<StoredResponse | undefined> {
  const t = idempotencyKeys
  const rows = await tx
    .select({ fingerprint: t.fingerprint, status: t.status, headers: t.headers, body: t.body })
    .from(t)
    .where(and(eq(t.caller, caller), eq(t.key, key), gt(t.createdAt, expiry)))
  return rows[0]
}

/** Stores the first response. Replaces one that is older than 24 hours. */
export async function storeResponse(
  tx: Transaction,
  callerKey: CallerKey,
  response: StoredResponse,
): Promise<void> {
  await tx
    .insert(idempotencyKeys)
    .values({ ...callerKey, ...response })
    .onConflictDoUpdate({
      target: [idempotencyKeys.caller, idempotencyKeys.key],
      set: { ...response, createdAt: now },
    })
}

/** Deletes responses that are older than 24 hours. @returns how many: `limit` at most */
export async function pruneResponses(database: Database, limit: number): Promise<number> {
  const { rowCount } = await database.execute(sql`
    delete from ${idempotencyKeys} where ctid = any(array(
      select ctid from ${idempotencyKeys}
      where ${idempotencyKeys.createdAt} < ${expiry} limit ${limit} for update skip locked))`)
  return rowCount ?? 0
}
