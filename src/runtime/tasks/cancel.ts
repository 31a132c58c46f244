import { eq, sql } from 'drizzle-orm'
import type { Transaction } from '../database/database.ts'
import { now } from '../database/now.ts'
import { afterCommit } from '../database/transaction.ts'
import { handOverMore } from './hand-over.ts'
import { tasks } from './table.ts'

/**
 * The result of cancelling a task: `cancelled`, now or earlier. `started`: an attempt has started, so the task may have
 * called other services already. `dead`: it has started and failed for good. `done`. `gone`: its row was pruned.
 */
export type Cancellation = 'cancelled' | 'started' | 'dead' | 'done' | 'gone'

/**
 * Cancels a task whose attempts have not started, in the caller's transaction. It locks the task's row, as an attempt
 * does before it writes. Call it before you change rows that the task writes too, so that all take the locks in the same
 * order.
 *
 * @example
 * const result = await cancelTask(tx, order.taskId) // 'started' where it is too late
 */
export async function cancelTask(tx: Transaction, id: string): Promise<Cancellation> {
  const [row] = await tx
    .select({ state: tasks.state, startedAt: tasks.startedAt, batchId: tasks.batchId })
    .from(tasks)
    .where(eq(tasks.id, id))
    .for('update')
  if (!row) return 'gone'
  if (row.state === 'done' || row.state === 'cancelled') return row.state
  if (row.startedAt) return row.state === 'dead' ? 'dead' : 'started'
  await tx.update(tasks).set(cancelledColumns).where(eq(tasks.id, id))
  afterCommit(tx, () => handOverMore(row))
  return 'cancelled'
}

/** The columns of a cancelled task. Its delivery becomes stale, and a running attempt loses its lease. */
export const cancelledColumns = {
  state: 'cancelled' as const,
  dispatch: sql`${tasks.dispatch} + 1`,
  lease: null,
  leasedUntil: null,
  finishedAt: now,
}
