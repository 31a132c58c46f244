import type { Database } from '../database/database.ts'
import type { Log } from '../log/logger.ts'
import { announce } from './announce.ts'
import { announceDeath } from './announce-death.ts'
import { findFailedUndos } from './step-store.ts'
import { type ClaimedRow, markAnnounced, markUndone } from './transitions.ts'

/**
 * Ends a task whose undos have run. A death is announced when it is committed. Failed undos of a cancelled task are announced before
 * that: they are stored with the steps already, so an attempt that is made once more announces them again.
 *
 * @param notRun why the other undos did not run; absent if all have
 * @returns the state that it has now; `undefined` if the lease was lost
 */
export async function endUndo(
  row: ClaimedRow,
  { database, log }: { readonly database: Database; readonly log: Log },
  notRun?: string,
): Promise<'dead' | 'cancelled' | undefined> {
  const failures = await findFailedUndos(database, row)
  if (notRun !== undefined) failures.push(`the others did not run (${notRun})`)
  const failed = failures.length > 0 ? `these undos have failed: ${failures.join(', ')}` : undefined
  const message = [row.lastError, failed].filter(Boolean).join('; ') || null
  const error = new Error(message ?? 'unknown')
  if (row.undoing === 'cancelled' && failed)
    await announce(log, row, {
      code: 'RUNTIME_TASK_UNDO_FAILED',
      error,
      message: `${row.name} is cancelled: ${failed}`,
    })
  if (!(await markUndone(database, row, message))) return
  if (row.undoing === 'dead') {
    await announceDeath(log, row, error)
    await markAnnounced(database, row.id)
  }
  return row.undoing ?? undefined
}
