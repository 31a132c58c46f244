import { and, asc, eq, lt, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { fromNow, now } from '../database/now.ts'
import type { Log } from '../log/logger.ts'
import type { AlarmRow } from './alarm.ts'
import { alarmColumns } from './alarm.ts'
import { announceDeath } from './announce.ts'
import type { Dispatch } from './ledger.ts'
import { inContextOf } from './origin.ts'
import { isAmong, stateIs, tasks } from './table.ts'

/** The newest are left to the requests that made them, and to another tick that may be at them. */
const settleTime = 30_000
/** An alarm that is this long overdue is asked after. */
const overdueTime = 600_000

/**
 * Takes rows that nobody handed over, for this tick alone: for half a minute no other one takes them.
 *
 * @param limit how many at most
 */
export async function takePending(database: Database, limit: number): Promise<AlarmRow[]> {
  const found = database
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(stateIs('pending'), sql`${alarmColumns.near}`, lt(tasks.touchedAt, fromNow(-settleTime))))
    .orderBy(asc(tasks.dueAt))
    .limit(limit)
    .for('update', { skipLocked: true })
  return database.update(tasks).set({ touchedAt: now }).where(isAmong(found)).returning(alarmColumns)
}

/** Takes back tasks whose lease ran out: their process was killed, and its alarm may be far off. @returns how many */
export async function takeRunaways(database: Database, limit: number): Promise<number> {
  const found = database
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(stateIs('running'), lt(tasks.leasedUntil, now)))
    .limit(limit)
    .for('update', { skipLocked: true })
  return anew(database, isAmong(found))
}

/** Takes rows that Cloud Tasks was to call back for long ago: it is asked whether it still means to. */
export async function takeOverdue(database: Database, limit: number): Promise<Dispatch[]> {
  const found = database
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(stateIs('queued'), lt(tasks.touchedAt, fromNow(-overdueTime))))
    .orderBy(asc(tasks.touchedAt))
    .limit(limit)
    .for('update', { skipLocked: true })
  return database
    .update(tasks)
    .set({ touchedAt: now })
    .where(isAmong(found))
    .returning({ id: tasks.id, name: tasks.name, dispatch: tasks.dispatch })
}

/** Takes back a task whose alarm is lost. @returns how many: none where something has happened to it meanwhile */
export async function takeLost(database: Database, { id, dispatch }: Dispatch): Promise<number> {
  return anew(database, and(eq(tasks.id, id), eq(tasks.dispatch, dispatch), stateIs('queued')))
}

/** Tells of the dead whose process ended before it could. @returns how many */
export async function announceDead(database: Database, log: Log, limit: number): Promise<number> {
  return database.transaction(async (tx) => {
    const dead = await tx
      .select()
      .from(tasks)
      .where(
        and(stateIs('dead'), sql`${tasks.announcedAt} is null`, lt(tasks.finishedAt, fromNow(-settleTime))),
      )
      .limit(limit)
      .for('update', { skipLocked: true })
    for (const row of dead) {
      const error = new Error(row.lastError ?? 'unknown')
      await inContextOf(row, () => announceDeath(tx, log, row, error))
    }
    return dead.length
  })
}

/** Deletes tasks that have been over for `keep` milliseconds. @returns how many */
export async function pruneTasks(database: Database, keep: number, limit: number): Promise<number> {
  const old = database
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(stateIs('done', 'cancelled'), lt(tasks.finishedAt, fromNow(-keep))))
    .limit(limit)
    .for('update', { skipLocked: true })
  const { rowCount } = await database.delete(tasks).where(isAmong(old))
  return rowCount ?? 0
}

/** Back to `pending` at a new dispatch, for the sweep of what is pending. */
async function anew(database: Database, which: SQL | undefined): Promise<number> {
  const { rowCount } = await database
    .update(tasks)
    .set({
      state: 'pending',
      dispatch: sql`${tasks.dispatch} + 1`,
      lease: null,
      leasedUntil: null,
      touchedAt: fromNow(-2 * settleTime),
    })
    .where(which)
  return rowCount ?? 0
}
