import { eq } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { Problem } from '../kernel/problem.ts'
import type { Log } from '../log/logger.ts'
import { cancelledColumns, undoDelivery } from './cancel.ts'
import type { DeliveryRow } from './delivery.ts'
import { settleUndos } from './end-undo.ts'
import { findTask } from './operators.ts'
import { taskProblems } from './routes.ts'
import { type TaskRow, type TaskState, tasks } from './table.ts'

/**
 * Cancels a task that is not done, even if it is running or dead. If steps of it can be undone, their undos run first; a
 * second cancel ends it without them, and announces which did not run.
 *
 * @param by `c.var` of the request
 * @returns the task, its next delivery if it has one, and in which state it was
 * @throws {Problem} RUNTIME_TASK_NOT_FOUND; RUNTIME_TASK_OVER if the task is done
 */
export function forceCancelTask(
  database: Database,
  id: string,
  { log, caller }: { readonly log: Log; readonly caller: { readonly subject: string } },
): Promise<{ row: TaskRow; delivery: DeliveryRow | undefined; was: TaskState }> {
  return database.transaction(async (tx) => {
    const { state, name, attempts, traceId, undoing, undone, lastError } = tasks
    const [before] = await tx
      .select({ id: tasks.id, state, name, attempts, traceId, undoing, undone, lastError })
      .from(tasks)
      .where(eq(tasks.id, id))
      .for('update')
    if (!before || before.state === 'done' || before.state === 'cancelled') {
      const row = await findTask(tx, id)
      if (row.state === 'cancelled') return { row, delivery: undefined, was: row.state }
      throw new Problem(taskProblems.RUNTIME_TASK_OVER, { detail: `It is ${row.state}.` })
    }
    const givenUp = `${caller.subject} has cancelled the task once more`
    const kept = before.undoing && {
      lastError: await settleUndos({ ...before, undoing: 'cancelled' }, { database: tx, log }, givenUp),
    }
    const [row] = await tx
      .update(tasks)
      .set({ ...cancelledColumns, ...kept })
      .where(eq(tasks.id, id))
      .returning()
    return { row: row as TaskRow, delivery: row && undoDelivery(row), was: before.state }
  })
}
