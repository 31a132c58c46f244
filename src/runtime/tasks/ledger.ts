import { randomUUID } from 'node:crypto'
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../database/database.ts'
import { fromNow, now } from '../database/now.ts'
import type { AlarmRow } from './alarm.ts'
import { alarmColumns } from './alarm.ts'
import { stateIs, type TaskRow, tasks } from './table.ts'

/** How long a claim holds without being renewed: a process that was killed holds its task up no longer. */
export const leaseTime = 30_000

/** A row that is claimed, with the token that says by whom. */
export type ClaimedRow = TaskRow & { readonly lease: string }

/** What a callback names. */
export interface Dispatch {
  readonly name: string
  readonly id: string
  readonly dispatch: number
}

/** Columns of whoever does not hold the task any more. */
const letGo = { lease: null, leasedUntil: null }

/** Claims a task at this dispatch: one statement, so that of two callbacks one gets it. */
export async function claim(database: Database, dispatch: Dispatch): Promise<ClaimedRow | undefined> {
  const [row] = await database
    .update(tasks)
    .set({
      state: 'running',
      lease: randomUUID(),
      leasedUntil: fromNow(leaseTime),
      attempts: sql`${tasks.attempts} + 1`,
      startedAt: sql`coalesce(${tasks.startedAt}, ${now})`,
    })
    .where(
      and(
        eq(tasks.id, dispatch.id),
        eq(tasks.name, dispatch.name),
        eq(tasks.dispatch, dispatch.dispatch),
        sql`(${stateIs('pending', 'queued')} or (${stateIs('running')} and ${tasks.leasedUntil} < ${now}))`,
      ),
    )
    .returning()
  return row as ClaimedRow | undefined
}

/** The task as it is, for a callback that could not claim it; `held` says for how many seconds it is leased. */
export async function look(database: Database, id: string) {
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

/** Prolongs a lease. @returns false where it is someone else's by now, or nobody's */
export async function renew(database: Database, row: ClaimedRow): Promise<boolean> {
  return change(database, row, { leasedUntil: fromNow(leaseTime) })
}

/** Marks a task as done. @returns false where the lease was lost: nothing may be written then */
export async function finish(database: Database | Transaction, row: ClaimedRow): Promise<boolean> {
  return change(database, row, {
    ...letGo,
    state: 'done',
    finishedAt: now,
    lastError: null,
    unknownSince: null,
  })
}

/** Gives a task back as it was before the claim, for the alarm that Cloud Tasks still holds. */
export async function release(database: Database, row: ClaimedRow): Promise<boolean> {
  return change(database, row, { ...letGo, state: 'queued', attempts: row.attempts - 1, touchedAt: now })
}

/** Takes a task back after a failed attempt, for another one in `wait` milliseconds. @returns its next alarm */
export async function reschedule(
  database: Database,
  row: ClaimedRow,
  wait: number,
  error: string,
): Promise<AlarmRow | undefined> {
  return takeBack(database, row, { dueAt: fromNow(wait), lastError: error, unknownSince: null })
}

/** Takes back a task that this revision does not understand: no attempt was made. @returns its next alarm */
export async function postpone(
  database: Database,
  row: ClaimedRow,
  wait: number,
  error: string,
): Promise<AlarmRow | undefined> {
  return takeBack(database, row, {
    dueAt: fromNow(wait),
    lastError: error,
    attempts: row.attempts - 1,
    // as it was before this claim
    startedAt: sql`nullif(${tasks.startedAt}, ${tasks.leasedUntil} - ${leaseTime} * interval '1 millisecond')`,
    unknownSince: sql`coalesce(${tasks.unknownSince}, ${now})`,
  })
}

/** Gives a task up. @returns false where the lease was lost */
export async function bury(
  database: Database,
  row: ClaimedRow,
  attempts: number,
  error: string,
): Promise<boolean> {
  return change(database, row, { ...letGo, state: 'dead', attempts, finishedAt: now, lastError: error })
}

/** Notes that the death of these was logged and reported. */
export async function markAnnounced(database: Pick<Database, 'update'>, id: string): Promise<void> {
  await database.update(tasks).set({ announcedAt: now }).where(eq(tasks.id, id))
}

/** Notes that Cloud Tasks holds these alarms, where nothing has happened to their tasks since. */
export async function markQueued(database: Database, sent: readonly Dispatch[]): Promise<void> {
  const ids = sql.param(sent.map(({ id }) => id))
  const dispatches = sql.param(sent.map(({ dispatch }) => dispatch))
  await database.execute(sql`
    update ${tasks} set state = 'queued', touched_at = greatest(${now}, due_at)
    from unnest(${ids}::uuid[], ${dispatches}::int[]) as sent (id, dispatch)
    where ${tasks.id} = sent.id and ${tasks.dispatch} = sent.dispatch and ${stateIs('pending')}`)
}

type Columns = Partial<Record<keyof TaskRow, unknown>>

async function takeBack(
  database: Database,
  row: ClaimedRow,
  columns: Columns,
): Promise<AlarmRow | undefined> {
  const [alarm] = await database
    .update(tasks)
    .set({ ...letGo, ...(columns as object), state: 'pending', dispatch: row.dispatch + 1, touchedAt: now })
    .where(held(row))
    .returning(alarmColumns)
  return alarm
}

async function change(database: Database | Transaction, row: ClaimedRow, columns: Columns): Promise<boolean> {
  const { rowCount } = await database
    .update(tasks)
    .set(columns as object)
    .where(held(row))
  return rowCount === 1
}

/** The row, as long as this claim holds it. An expired lease that nobody else took is still this claim's. */
function held({ id, lease }: ClaimedRow): SQL | undefined {
  return and(eq(tasks.id, id), eq(tasks.lease, lease))
}
