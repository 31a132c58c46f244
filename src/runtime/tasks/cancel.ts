import { eq, sql } from 'drizzle-orm'
import type { Transaction } from '../database/database.ts'
import { now } from '../database/now.ts'
import { tasks } from './table.ts'

/**
 * What came of it: `cancelled`, now or before; `started`, where an attempt was ever made, so that others may know
 * of it already; `dead`, where it was given up after that; `done`; `gone`, where the row is no longer there.
 */
export type Cancellation = 'cancelled' | 'started' | 'dead' | 'done' | 'gone'

/**
 * Cancels a task that no attempt was ever made at, in the caller's transaction. It locks the task's row, as an
 * attempt does before it writes: call it before you touch rows of your own that the task writes too, so that all
 * take their locks in one order.
 */
export async function cancelTask(tx: Transaction, id: string): Promise<Cancellation> {
  const [row] = await tx
    .select({ state: tasks.state, startedAt: tasks.startedAt })
    .from(tasks)
    .where(eq(tasks.id, id))
    .for('update')
  if (!row) return 'gone'
  if (row.state === 'done' || row.state === 'cancelled') return row.state
  if (row.startedAt) return row.state === 'dead' ? 'dead' : 'started'
  await tx.update(tasks).set(cancelled).where(eq(tasks.id, id))
  return 'cancelled'
}

/** The columns of a cancelled task: its alarm is stale, and whoever runs it loses its lease. */
export const cancelled = {
  state: 'cancelled' as const,
  dispatch: sql`${tasks.dispatch} + 1`,
  lease: null,
  leasedUntil: null,
  finishedAt: now,
}
