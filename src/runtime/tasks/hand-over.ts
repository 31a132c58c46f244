import { and, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { now } from '../database/now.ts'
import { batches } from './batch-table.ts'
import { type DeliveryRow, deliveryColumns } from './delivery.ts'
import { maxConcurrency } from './limit-options.ts'
import { wakeTasks } from './limits.ts'
import { isUnsent } from './maintenance.ts'
import { takeAtEnd } from './outbox.ts'
import { setAside, type TaskRow, type TaskState, tasks } from './table.ts'

/** How many pending tasks of its batch a request sends when it ends. With ten each, 20 tasks start 2,000 in two rounds. */
const perRequest = 10

/**
 * Lets the current request send further tasks when it ends: those of the same batch that nobody has sent yet, and its final
 * task. A task without a batch costs no statement.
 */
export function handOverMore({ batchId }: Pick<TaskRow, 'batchId'>): void {
  if (batchId) takeAtEnd((database, limit) => takeOfBatch(database, batchId, Math.min(limit, perRequest)))
}

/**
 * Lets the current request hand over more of the batch of a task that it has cancelled, and wake the next task of its key.
 *
 * @param was its state before. If it ran, its code may still go on: the request of that attempt wakes the next task, when it ends
 */
export function handOverCancelled(
  row: Pick<TaskRow, 'batchId' | 'name' | 'limitKey' | 'limitSlot'>,
  was: TaskState,
): void {
  handOverMore(row)
  const { name, limitKey: key, limitSlot } = row
  if (key === null || limitSlot === setAside || was === 'running') return
  // one place is free at most. Its limit is not known here: a task that is woken in vain is set aside once more
  const group = { name, key, concurrency: maxConcurrency, ordered: false }
  takeAtEnd((database, limit) => wakeTasks(database, group, Math.min(limit, 1)))
}

/** Takes tasks of a batch whose deliveries were not sent, the oldest first. For half a minute, nobody else takes them. */
export async function takeOfBatch(
  database: Database,
  batchId: string,
  limit: number,
): Promise<DeliveryRow[]> {
  const children = database
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(sql`${tasks.batchId} = ${batchId}`, isUnsent()))
    .orderBy(tasks.id)
    .limit(limit)
    .for('update', { skipLocked: true })
  const next = sql`select final_id from ${batches} where id = ${batchId}`
  return database
    .update(tasks)
    .set({ touchedAt: now })
    .where(and(sql`${tasks.id} = any(array${children} || array(${next}))`, isUnsent()))
    .returning(deliveryColumns)
}
