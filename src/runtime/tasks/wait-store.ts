import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { fromNow, now } from '../database/now.ts'
import { type DeliveryRow, deliveryColumns } from './delivery.ts'
import { currentRevision } from './outbox.ts'
import { writeStep } from './step-store.ts'
import { signals, steps } from './steps-table.ts'
import { tasks } from './table.ts'
import { type ClaimedRow, holdsLease } from './transitions.ts'

/** A signal of a task. */
export interface SignalName {
  readonly name: string
  readonly key: string
}

/** The name of the row of a wait. */
export function waitName({ name, key }: SignalName): string {
  return `${name}:${key}`
}

/**
 * Gives a task back until a sleep is over. One statement does both, so that no killed process leaves half of it.
 *
 * @param end how long it sleeps, in milliseconds; or when it ends
 * @returns its next delivery; `undefined` if the lease was lost
 */
export async function startSleep(
  database: Database,
  row: ClaimedRow,
  name: string,
  end: number | Date,
): Promise<DeliveryRow | undefined> {
  const until = momentOf(end)
  const { rows } = await database.execute<RawDelivery>(sql`
    with held as (${suspend(row, { name, due: until })}), written as (
      insert into ${steps} (task_id, name, kind, started_at, until, finished_at, revision)
      select id, ${name}, 'sleep', ${now}, ${until}, ${until}, ${currentRevision() ?? null} from held
      on conflict (task_id, name) do nothing
    )
    select * from held`)
  return toDeliveryRow(rows[0])
}

/**
 * Ends a wait if its signal has come. The task gets all its attempts back.
 *
 * @returns what was sent; `undefined` if nothing has come, or the lease was lost
 */
export async function takeSignal(
  database: Database,
  row: ClaimedRow,
  signal: SignalName,
): Promise<{ readonly payload: unknown } | undefined> {
  const step = { name: waitName(signal), kind: 'wait', tookMs: 0 } as const
  const { rows } = await writeStep(database, row, step, {
    row: sql`result, tries, finished_at`,
    values: sql`jsonb_build_object('payload', came.payload), 1, ${now}`,
    from: sql`, ${signals} as came
      where came.task = ${row.name} and came.name = ${signal.name} and came.key = ${signal.key} and came.arrived_at is not null`,
    changes: sql`result = excluded.result, tries = excluded.tries, finished_at = excluded.finished_at`,
    returning: sql`returning result`,
    isProgress: true,
  })
  return rows[0]?.result as { payload: unknown } | undefined
}

/**
 * Gives a task back until its signal comes, or the time-out. The row of the signal is locked first: its sender locks it
 * too. So a signal that is sent at the same time either comes before, and the task is due at once, or it wakes the task.
 *
 * @param end in how many milliseconds the wait times out; or when
 * @returns its next delivery; `undefined` if the lease was lost
 */
export async function startWait(
  database: Database,
  row: ClaimedRow,
  signal: SignalName,
  end: number | Date,
): Promise<DeliveryRow | undefined> {
  const { name, key } = signal
  const until = momentOf(end)
  const due = sql`case when found.arrived_at is null then ${until} else ${now} end`
  const { rows } = await database.execute<RawDelivery>(sql`
    with found as (
      insert into ${signals} as old (task, name, key) values (${row.name}, ${name}, ${key})
      on conflict (task, name, key) do update set touched_at = greatest(old.touched_at, excluded.touched_at)
      returning arrived_at
    ), held as (${suspend(row, { name, key, due, from: sql`from found` })}), written as (
      insert into ${steps} (task_id, name, kind, started_at, until, revision)
      select id, ${waitName(signal)}, 'wait', ${now}, ${until}, ${currentRevision() ?? null} from held
      on conflict (task_id, name) do nothing
    )
    select * from held`)
  return toDeliveryRow(rows[0])
}

/** A delivery as `execute` returns it: it leaves a time as text. */
export type RawDelivery = Record<string, unknown> & Omit<DeliveryRow, 'at'> & { readonly at: string | null }

/** The delivery of such a row. */
export function toDeliveryRow(raw: RawDelivery | undefined): DeliveryRow | undefined {
  return raw && { ...raw, at: raw.at === null ? null : new Date(raw.at) }
}

/** The end of an UPDATE of tasks that returns their deliveries. */
export function returningDelivery(): SQL {
  const { id, name, dispatch, at, sendable } = deliveryColumns
  return sql`returning ${id}, ${name}, ${dispatch}, ${at} as at, ${sendable} as sendable`
}

function momentOf(end: number | Date): SQL {
  return end instanceof Date ? sql`${end.toISOString()}::timestamptz` : fromNow(end)
}

/** Makes a task pending until a sleep or a wait is over. It counts no attempt, and leaves no error. */
function suspend(
  row: ClaimedRow,
  { name, key = null, due, from = sql`` }: { name: string; key?: string | null; due: SQL; from?: SQL },
): SQL {
  return sql`update ${tasks} set state = 'pending', dispatch = ${tasks.dispatch} + 1, attempts = 0, due_at = ${due},
    lease = null, leased_until = null, touched_at = ${now}, last_error = null, unknown_since = null,
    waits_for = ${name}, waits_key = ${key} ${from}
    where ${holdsLease(row)} ${returningDelivery()}`
}
