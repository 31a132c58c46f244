import { type SQL, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../database/database.ts'
import { fromNow, now } from '../database/now.ts'
import type { DeliveryRow } from './delivery.ts'
import { signals, steps } from './steps-table.ts'
import { isAmong, stateIs, tasks } from './table.ts'
import {
  type RawDelivery,
  returningDelivery,
  type SignalName,
  toDeliveryRow,
  waitName,
} from './wait-store.ts'

/** How many tasks one statement wakes, and how many statements a tick sends. */
const batchSize = 1_000
const maxBatches = 10

/** A signal of a task, with the task's name. */
type TaskSignal = SignalName & { readonly task: string }

/** The time at which the tick sends a task that it has woken. */
const longAgo = fromNow(-60_000)
/** `touched_at` of a signal while tasks wait that it has not woken: nothing prunes it. */
const unfinished = sql`'infinity'::timestamptz`

/**
 * Wakes the tasks that wait for a signal which this transaction has written: 1,000 at most. The ticks wake the others. A task that
 * times out before that finds the signal.
 *
 * @returns their deliveries
 */
export async function wakeWaiters(tx: Transaction, signal: TaskSignal): Promise<DeliveryRow[]> {
  const woken = await wake(tx, signal, now, sql`for update`)
  if (woken.length === batchSize)
    await tx.execute(sql`update ${signals} set touched_at = ${unfinished} where ${isRow(signal)}`)
  return woken
}

/**
 * Wakes the tasks that senders of signals have left: 1,000 of each signal in turn, 10,000 in all. The same tick sends them, and the
 * next tick goes on. It waits for no lock: a task that somebody else changes now has its turn in the next tick, if it still waits then.
 *
 * @returns how many
 */
export async function wakeLeftWaiters(database: Database, hasTimeLeft: () => boolean): Promise<number> {
  const { rows: left } = await database.execute<Record<string, unknown> & TaskSignal>(
    sql`select task, name, key from ${signals} where touched_at = ${unfinished} limit ${maxBatches}`,
  )
  let count = 0
  for (let batch = 0; batch < maxBatches && hasTimeLeft(); batch++) {
    const signal = left.shift()
    if (!signal) break
    const woken = await wake(database, signal, longAgo, sql`for update skip locked`)
    count += woken.length
    if (woken.length === batchSize) left.push(signal)
    else
      await database.execute(sql`update ${signals} set touched_at = ${now}
        where ${isRow(signal)} and not exists (select from ${tasks} where ${isWaitingFor(signal)})`)
  }
  return count
}

/** One statement wakes tasks and ends their waits, so that no killed process leaves half of it. */
async function wake(
  database: Database | Transaction,
  signal: TaskSignal,
  touchedAt: SQL,
  lock: SQL,
): Promise<DeliveryRow[]> {
  const found = sql`(select id from ${tasks} where ${isWaitingFor(signal)} limit ${batchSize} ${lock})`
  const { rows } = await database.execute<RawDelivery>(sql`
    with woken as (
      update ${tasks} set state = 'pending', dispatch = ${tasks.dispatch} + 1, due_at = ${now}, touched_at = ${touchedAt},
        waits_for = null, waits_key = null
      where ${isAmong(found)} ${returningDelivery()}
    ), written as (
      update ${steps} set result = jsonb_build_object('payload', came.payload), tries = 1, finished_at = ${now}
      from woken, (select payload from ${signals} where ${isRow(signal)}) as came
      where task_id = woken.id and ${steps.name} = ${waitName(signal)} and finished_at is null
    )
    select * from woken`)
  return rows.flatMap((row) => toDeliveryRow(row) ?? [])
}

function isRow({ task, name, key }: TaskSignal): SQL {
  return sql`task = ${task} and name = ${name} and key = ${key}`
}

/** Whether a task waits for the signal, and was not woken. */
function isWaitingFor({ task, name, key }: TaskSignal): SQL {
  return sql`${tasks.name} = ${task} and waits_for = ${name} and waits_key = ${key} and ${stateIs('pending', 'queued')}`
}
