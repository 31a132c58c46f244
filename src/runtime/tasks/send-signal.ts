import { sql } from 'drizzle-orm'
import type { z } from 'zod'
import type { Transaction } from '../database/database.ts'
import { now } from '../database/now.ts'
import { afterCommit } from '../database/transaction.ts'
import { checkKey } from './enqueue-key.ts'
import { addToOutbox } from './outbox.ts'
import type { Signals } from './step-types.ts'
import { signals } from './steps-table.ts'
import { roundTripJson, signalSchema, type Task } from './task.ts'
import { wakeWaiters } from './wake-waiters.ts'

/**
 * Sends a signal in the caller's transaction. It wakes the tasks that wait for it by `waitFor`; of more than 1,000, the
 * ticks wake the others. If none waits yet, it is kept for `TASKS_KEEP`, 7 days. Of several with the same name and key, the first one counts.
 *
 * Call it before you lock rows that the woken task writes too.
 *
 * @returns `accepted: false` if such a signal has come before
 * @throws {z.ZodError} for a payload that the task does not take, as it is after a round trip through JSON
 * @throws {TypeError} naming the task, for a name that it does not have, and a key that cannot be stored
 * @example
 * const { accepted } = await sendSignal(tx, importOrders, 'paid', { key: 'batch-7' }, { amount: 1200 })
 */
export async function sendSignal<S extends Signals, Name extends keyof S & string>(
  tx: Transaction,
  task: Task<z.ZodType, S>,
  name: Name,
  { key }: { readonly key: string },
  payload: z.input<S[Name]>,
): Promise<{ accepted: boolean }> {
  const schema = signalSchema(task, name)
  if (!schema) throw new TypeError(`The task ${task.name} has no signal ${name}.`)
  checkKey(task, key)
  const stored = roundTripJson(task, payload, `the payload of its signal ${name}`)
  schema.parse(stored)
  const json = sql`${JSON.stringify(stored)}::jsonb`
  const { rowCount } = await tx.execute(sql`
    insert into ${signals} as old (task, name, key, payload, arrived_at) values (${task.name}, ${name}, ${key}, ${json}, ${now})
    on conflict (task, name, key) do update
      set payload = excluded.payload, arrived_at = excluded.arrived_at, touched_at = excluded.touched_at
      where old.arrived_at is null`)
  if (rowCount === 0) return { accepted: false }
  const woken = await wakeWaiters(tx, { task: task.name, name, key })
  afterCommit(tx, () => {
    for (const delivery of woken) addToOutbox(delivery)
  })
  return { accepted: true }
}
