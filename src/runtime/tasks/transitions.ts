import { randomUUID } from 'node:crypto'
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../database/database.ts'
import { defineQuery, type QueryValues } from '../database/define-query.ts'
import { fromNow, now } from '../database/now.ts'
import { type Failure, processEnded, withError } from './attempt-errors.ts'
import { type DeliveryRow, deliveryColumns } from './delivery.ts'
import { type setAside, stateIs, type TaskRow, tasks } from './table.ts'
import { hasUndoable } from './undoable.ts'

/** How long a claim is valid without a renewal. The task of a killed process waits no longer than this. */
export const leaseMs = 30_000

/** A claimed row. Its lease is a token that identifies the claim. */
export type ClaimedRow = TaskRow & { readonly lease: string }

/** What identifies a callback. */
export interface Dispatch {
  readonly name: string
  readonly id: string
  readonly dispatch: number
}

/** What identifies a claim. */
type Held = Pick<ClaimedRow, 'id' | 'lease'>

/** The columns of a row without a lease. */
const noLease = { lease: null, leasedUntil: null }

const claimRow = defineQuery(
  (database, { id, name, dispatch, lease }: QueryValues<Dispatch & { lease: string }>) =>
    database
      .update(tasks)
      .set({
        state: 'running',
        lease: sql`${lease}::uuid`,
        leasedUntil: fromNow(leaseMs),
        attempts: sql`${tasks.attempts} + 1`,
        errors: sql`case when ${stateIs('running')} then ${withError(processEnded)} else ${tasks.errors} end`,
        waitsFor: null,
        waitsKey: null,
        startedAt: sql`coalesce(${tasks.startedAt}, ${now})`,
        limitSlot: null,
      })
      .where(
        and(
          eq(tasks.id, id),
          eq(tasks.name, name),
          eq(tasks.dispatch, dispatch),
          sql`(${stateIs('pending', 'queued')} or (${stateIs('running')} and ${tasks.leasedUntil} < ${now}))`,
        ),
      )
      .returning(),
)

/** Claims a task at this dispatch. It is one statement, so that only one of two callbacks gets the task. */
export async function claim(database: Database, dispatch: Dispatch): Promise<ClaimedRow | undefined> {
  const [row] = await claimRow(database, { ...dispatch, lease: randomUUID() })
  return row as ClaimedRow | undefined
}

/** Reads a task that could not be claimed. `held` is for how many seconds it is still leased. */
export async function findState(database: Database, id: string) {
  const [row] = await database
    .select({
      name: tasks.name,
      state: tasks.state,
      dispatch: tasks.dispatch,
      held: sql<number | null>`ceil(extract(epoch from ${tasks.leasedUntil} - ${now}))::int`,
    })
    .from(tasks)
    .where(eq(tasks.id, id))
  return row
}

/** Extends a lease. @returns false if another process has the lease, or none */
export async function renewLease(database: Database, row: ClaimedRow): Promise<boolean> {
  return updateHeld(database, row, { leasedUntil: fromNow(leaseMs) })
}

const markRowDone = defineQuery((database, held: QueryValues<Held>) =>
  database
    .update(tasks)
    .set({ ...noLease, state: 'done', finishedAt: now, lastError: null, unknownSince: null })
    .where(holdsLease(held)),
)

/** Marks a task as done. @returns false if the lease was lost: nothing may be written then */
export async function markDone(
  database: Database | Transaction,
  { id, lease }: ClaimedRow,
): Promise<boolean> {
  const { rowCount } = await markRowDone(database, { id, lease })
  return rowCount === 1
}

/** Returns a task to its state before the claim. Cloud Tasks still has its delivery, and retries it. */
export async function releaseTask(database: Database, row: ClaimedRow): Promise<boolean> {
  return updateHeld(database, row, {
    ...noLease,
    state: 'queued',
    attempts: row.attempts - 1,
    touchedAt: now,
  })
}

/** Requeues a task after a failed attempt, for a retry after `delayMs`. @returns its next delivery */
export async function requeueForRetry(
  database: Database,
  row: ClaimedRow,
  delayMs: number,
  failure: Failure,
): Promise<DeliveryRow | undefined> {
  return requeue(database, row, {
    dueAt: fromNow(delayMs),
    unknownSince: null,
    lastError: firstError(row, failure.error),
    errors: withError(failure),
  })
}

/** Requeues a task that this revision does not understand. It does not count as an attempt. @returns its next delivery */
export async function snooze(
  database: Database,
  row: ClaimedRow,
  delayMs: number,
  error: string,
): Promise<DeliveryRow | undefined> {
  return requeue(database, row, {
    ...uncounted(row),
    dueAt: fromNow(delayMs),
    lastError: firstError(row, error),
    unknownSince: sql`coalesce(${tasks.unknownSince}, ${now})`,
  })
}

/**
 * Gives back a task that may not run now. It does not count as an attempt.
 *
 * @param wait when it is due again; or that it is set aside until its key has a free place
 * @returns its next delivery
 */
export async function giveBack(
  database: Database,
  row: ClaimedRow,
  wait: { dueAt: Date } | { limitSlot: typeof setAside; limitKey: string },
): Promise<DeliveryRow | undefined> {
  return requeue(database, row, { ...uncounted(row), ...wait, unknownSince: null })
}

/** Marks a task as dead. @returns false if the lease was lost, or if steps of the task must be undone first */
export async function markDead(
  database: Database,
  row: ClaimedRow,
  attempts: number,
  failure: Failure,
): Promise<boolean> {
  const { rowCount } = await database
    .update(tasks)
    .set({
      ...noLease,
      ...{ state: 'dead', attempts, finishedAt: now },
      ...{ lastError: failure.error, errors: withError(failure) },
    })
    .where(and(holdsLease(row), sql`not ${hasUndoable}`))
  return rowCount === 1
}

/** Requeues a task that has died, for the undos of its steps. @returns its next delivery */
export async function requeueForUndo(
  database: Database,
  row: ClaimedRow,
  failure: Failure,
): Promise<DeliveryRow | undefined> {
  return requeue(database, row, {
    ...{ dueAt: now, attempts: 0, undoing: 'dead' },
    ...{ lastError: failure.error, errors: withError(failure), unknownSince: null },
  })
}

/** Ends the undos of a task: it is dead or cancelled from now on. @returns false if the lease was lost */
export async function markUndone(
  database: Database,
  row: ClaimedRow,
  error: string | null,
): Promise<boolean> {
  return updateHeld(database, row, {
    ...noLease,
    ...{ state: row.undoing, undoing: null, undone: row.undone + 1 },
    ...{ finishedAt: now, lastError: error, unknownSince: null },
  })
}

/** Records that a dead task was logged and reported. */
export async function markAnnounced(database: Pick<Database, 'update'>, id: string): Promise<void> {
  await database.update(tasks).set({ announcedAt: now }).where(eq(tasks.id, id))
}

/** The columns of a task whose claim does not count as an attempt. */
function uncounted(row: ClaimedRow): Columns {
  // null again, if this claim has set it
  const startedAt = sql`nullif(${tasks.startedAt}, ${tasks.leasedUntil} - ${leaseMs} * interval '1 millisecond')`
  return { attempts: row.attempts - 1, startedAt }
}

/** A task whose undos run keeps the error that it died of. */
function firstError({ undoing, lastError }: ClaimedRow, error: string): string | null {
  return undoing ? lastError : error
}

type Columns = Partial<Record<keyof TaskRow, unknown>>

async function requeue(
  database: Database,
  row: ClaimedRow,
  columns: Columns,
): Promise<DeliveryRow | undefined> {
  const [delivery] = await database
    .update(tasks)
    .set({ ...noLease, ...(columns as object), state: 'pending', dispatch: row.dispatch + 1, touchedAt: now })
    .where(holdsLease(row))
    .returning(deliveryColumns)
  return delivery
}

async function updateHeld(
  database: Database | Transaction,
  row: ClaimedRow,
  columns: Columns,
): Promise<boolean> {
  const { rowCount } = await database
    .update(tasks)
    .set(columns as object)
    .where(holdsLease(row))
  return rowCount === 1
}

/** Whether this claim still holds the row. An expired lease is still valid until another process claims the task. */
export function holdsLease({ id, lease }: Held | QueryValues<Held>): SQL | undefined {
  return and(eq(tasks.id, id), eq(tasks.lease, lease))
}
