import { eq, type SQL, sql } from 'drizzle-orm'
import type { Transaction } from '../database/database.ts'
import { now } from '../database/now.ts'
import { afterCommit } from '../database/transaction.ts'
import type { DeliveryRow } from './delivery.ts'
import { handOverCancelled } from './hand-over.ts'
import { addToOutbox } from './outbox.ts'
import { type TaskRow, tasks } from './table.ts'
import { hasUndoable } from './undoable.ts'

/**
 * The result of cancelling a task: `cancelled`, now or earlier. `started`: an attempt has started, so the task may have
 * called other services already. `dead`: it has started and failed for good. `done`. `gone`: its row was pruned.
 */
export type Cancellation = 'cancelled' | 'started' | 'dead' | 'done' | 'gone'

/**
 * Cancels a task whose attempts have not started, in the caller's transaction. With `{ started: true }` it also cancels one
 * that has started: a running attempt writes nothing more, and the undos of its finished steps follow. It locks the task's
 * row, as an attempt does before it writes. Call it before you change rows that the task writes too, so that all take the
 * locks in the same order.
 *
 * @example
 * const result = await cancelTask(tx, order.taskId) // 'started' where it is too late
 */
export async function cancelTask(
  tx: Transaction,
  id: string,
  { started = false }: { readonly started?: boolean } = {},
): Promise<Cancellation> {
  const [row] = await tx
    .select({
      ...{ state: tasks.state, startedAt: tasks.startedAt },
      ...{ undoing: tasks.undoing, batchId: tasks.batchId },
      ...{ name: tasks.name, limitKey: tasks.limitKey, limitSlot: tasks.limitSlot },
    })
    .from(tasks)
    .where(eq(tasks.id, id))
    .for('update')
  if (!row) return 'gone'
  if (row.state === 'done' || row.state === 'cancelled') return row.state
  if (row.undoing === 'cancelled') return 'cancelled'
  if (row.startedAt && (!started || row.undoing || row.state === 'dead'))
    return row.state === 'dead' || row.undoing ? 'dead' : 'started'
  const [cancelled] = await tx.update(tasks).set(cancelledColumns).where(eq(tasks.id, id)).returning()
  const delivery = cancelled && undoDelivery(cancelled)
  afterCommit(tx, () => {
    if (delivery) addToOutbox(delivery)
    else handOverCancelled(row, row.state)
  })
  return 'cancelled'
}

const needsUndo = sql`(${tasks.undoing} is null and ${hasUndoable})`
const ifUndo = (then: SQL, otherwise: SQL) => sql`case when ${needsUndo} then ${then} else ${otherwise} end`

/**
 * The columns of a cancelled task. Its delivery becomes stale, and a running attempt loses its lease. If steps of it can be
 * undone, it is pending once more, for their undos.
 */
export const cancelledColumns = {
  state: ifUndo(sql`'pending'`, sql`'cancelled'`),
  undoing: ifUndo(sql`'cancelled'`, sql`null`),
  finishedAt: ifUndo(sql`null`, now),
  dueAt: ifUndo(now, sql`${tasks.dueAt}`),
  attempts: ifUndo(sql`0`, sql`${tasks.attempts}`),
  dispatch: sql`${tasks.dispatch} + 1`,
  touchedAt: now,
  lease: null,
  leasedUntil: null,
  waitsFor: null,
  waitsKey: null,
}

/** The delivery of a task that was cancelled, for the undos of its steps; `undefined` if there are none. */
export function undoDelivery({ id, name, dispatch, state }: TaskRow): DeliveryRow | undefined {
  return state === 'pending' ? { id, name, dispatch, at: null, sendable: true } : undefined
}
