import type { Database } from '../database/database.ts'
import type { Log } from '../log/logger.ts'
import { announceDeadTask } from './announce-dead-task.ts'
import { type ClaimedRow, markUndone } from './transitions.ts'

/**
 * Ends a task whose undos have run. A death is announced; an undo of a cancelled task that has failed is logged.
 *
 * @param failures which of the undos have failed, and why
 * @returns the state that it has now; `undefined` if the lease was lost
 */
export async function endUndo(
  row: ClaimedRow,
  failures: readonly string[],
  { database, log }: { readonly database: Database; readonly log: Log },
): Promise<'dead' | 'cancelled' | undefined> {
  const failed = failures.length > 0 ? `these undos have failed: ${failures.join(', ')}` : undefined
  const message = [row.lastError, failed].filter(Boolean).join('; ') || null
  if (!(await markUndone(database, row, message))) return
  const error = new Error(message ?? 'unknown')
  if (row.undoing === 'dead') await announceDeadTask(database, log, row, error)
  else if (failed)
    log.error(
      { err: error, code: 'RUNTIME_TASK_UNDO_FAILED', task: { id: row.id, name: row.name } },
      `${row.name} is cancelled: ${failed}`,
    )
  return row.undoing ?? undefined
}
