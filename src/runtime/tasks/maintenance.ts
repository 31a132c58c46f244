import { and, asc, eq, lt, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { fromNow, now } from '../database/now.ts'
import type { Log } from '../log/logger.ts'
import { announceDeath } from './announce-death.ts'
import { processEnded, withError } from './attempt-errors.ts'
import { batches } from './batch-table.ts'
import { type DeliveryRow, deliveryColumns } from './delivery.ts'
import { rates } from './rate-table.ts'
import { signals } from './steps-table.ts'
import { isAmong, literal, setAside, stateIs, tasks } from './table.ts'
import { runInTaskContext } from './task-context.ts'
import { type Dispatch, markAnnounced } from './transitions.ts'

/** Rows that changed more recently are skipped: their own requests, or another tick, may be working on them. */
const recentMs = 30_000
/** Cloud Tasks is asked about deliveries that are overdue for this long. */
const overdueMs = 600_000

/** Whether a task is to be sent, and nobody is sending it now. */
export function isUnsent(): SQL | undefined {
  const isFree = sql`${tasks.limitSlot} is distinct from ${literal(setAside)}`
  return and(
    stateIs('pending'),
    sql`${deliveryColumns.sendable}`,
    lt(tasks.touchedAt, fromNow(-recentMs)),
    isFree,
  )
}

/**
 * Takes tasks whose deliveries were not sent. For half a minute, no other tick takes them.
 *
 * @param limit how many at most
 * @returns their deliveries
 */
export async function takeUndelivered(database: Database, limit: number): Promise<DeliveryRow[]> {
  const found = database
    .select({ id: tasks.id })
    .from(tasks)
    .where(isUnsent())
    .orderBy(asc(tasks.dueAt))
    .limit(limit)
    .for('update', { skipLocked: true })
  return database.update(tasks).set({ touchedAt: now }).where(isAmong(found)).returning(deliveryColumns)
}

/** Requeues running tasks whose lease has expired: their process was killed. @returns how many */
export async function rescueTasks(database: Database, limit: number): Promise<number> {
  const found = database
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(stateIs('running'), lt(tasks.leasedUntil, now)))
    .limit(limit)
    .for('update', { skipLocked: true })
  return requeue(database, isAmong(found), { errors: withError(processEnded) })
}

/** Takes tasks that Cloud Tasks should have delivered long ago, so that it can be asked about them. */
export async function takeOverdueDeliveries(database: Database, limit: number): Promise<Dispatch[]> {
  const found = database
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(stateIs('queued'), lt(tasks.touchedAt, fromNow(-overdueMs))))
    .orderBy(asc(tasks.touchedAt))
    .limit(limit)
    .for('update', { skipLocked: true })
  return database
    .update(tasks)
    .set({ touchedAt: now })
    .where(isAmong(found))
    .returning({ id: tasks.id, name: tasks.name, dispatch: tasks.dispatch })
}

/** Requeues a task whose delivery is lost. @returns 1; 0 if the task has changed meanwhile */
export async function requeueLost(database: Database, { id, dispatch }: Dispatch): Promise<number> {
  return requeue(database, and(eq(tasks.id, id), eq(tasks.dispatch, dispatch), stateIs('queued')))
}

/** Logs and reports dead tasks whose process ended before it could do so. @returns how many */
export async function announceDeadTasks(database: Database, log: Log, limit: number): Promise<number> {
  return database.transaction(async (tx) => {
    const dead = await tx
      .select()
      .from(tasks)
      .where(
        and(stateIs('dead'), sql`${tasks.announcedAt} is null`, lt(tasks.finishedAt, fromNow(-recentMs))),
      )
      .limit(limit)
      .for('update', { skipLocked: true })
    // all at once: each waits for its report, a second at most
    await Promise.all(
      dead.map((row) =>
        runInTaskContext(row, () => announceDeath(log, row, new Error(row.lastError ?? 'unknown'))),
      ),
    )
    for (const { id } of dead) await markAnnounced(tx, id)
    return dead.length
  })
}

/** Deletes tasks that finished more than `retentionMs` ago. @returns how many */
export async function pruneTasks(database: Database, retentionMs: number, limit: number): Promise<number> {
  const old = database
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(stateIs('done', 'cancelled'), lt(tasks.finishedAt, fromNow(-retentionMs))))
    .limit(limit)
    .for('update', { skipLocked: true })
  const { rowCount } = await database.delete(tasks).where(isAmong(old))
  return rowCount ?? 0
}

/** Deletes signals that came, or were last waited for, more than `retentionMs` ago. @returns how many */
export async function pruneSignals(database: Database, retentionMs: number, limit: number): Promise<number> {
  const { rowCount } = await database.execute(sql`
    delete from ${signals} where ctid = any(array(
      select ctid from ${signals} where touched_at < ${fromNow(-retentionMs)} limit ${limit} for update skip locked))`)
  return rowCount ?? 0
}

/** Deletes what is remembered of rates, when it no longer matters. @returns how many rows */
export async function pruneRates(database: Database, limit: number): Promise<number> {
  const { rowCount } = await database.execute(sql`
    delete from ${rates} where ctid = any(array(
      select ctid from ${rates} where expires_at < ${now} limit ${limit} for update skip locked))`)
  return rowCount ?? 0
}

/** Deletes batches that finished more than `retentionMs` ago, and their counters. @returns how many */
export async function pruneBatches(database: Database, retentionMs: number, limit: number): Promise<number> {
  const old = database
    .select({ id: batches.id })
    .from(batches)
    .where(lt(batches.finishedAt, fromNow(-retentionMs)))
    .limit(limit)
    .for('update', { skipLocked: true })
  const { rowCount } = await database.delete(batches).where(sql`${batches.id} = any(array${old})`)
  return rowCount ?? 0
}

/** Makes tasks pending at a new dispatch. This tick, or the next, sends them. */
async function requeue(
  database: Database,
  which: SQL | undefined,
  columns: { errors?: SQL } = {},
): Promise<number> {
  const { rowCount } = await database
    .update(tasks)
    .set({
      ...columns,
      state: 'pending',
      dispatch: sql`${tasks.dispatch} + 1`,
      lease: null,
      leasedUntil: null,
      touchedAt: fromNow(-2 * recentMs),
    })
    .where(which)
  return rowCount ?? 0
}
