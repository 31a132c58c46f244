import type { Database } from '../database/database.ts'
import type { Log } from '../log/logger.ts'
import { announce } from './announce.ts'
import { announceDeath } from './announce-death.ts'
import { findFailedUndos } from './step-store.ts'
import type { TaskRow } from './table.ts'
import { type ClaimedRow, markAnnounced, markUndone } from './transitions.ts'

/**
 * Ends a task whose undos have run. A death is announced when it is committed.
 *
 * @param givenUp why the other undos did not run; absent if all have
 * @returns the state that it has now; `undefined` if the lease was lost
 */
export async function endUndo(
  row: ClaimedRow,
  { database, log }: { readonly database: Database; readonly log: Log },
  givenUp?: string,
): Promise<'dead' | 'cancelled' | undefined> {
  const message = await settleUndos(row, { database, log }, givenUp)
  if (!(await markUndone(database, row, message))) return
  if (row.undoing === 'dead') {
    await announceDeath(log, row, new Error(message ?? 'unknown'))
    await markAnnounced(database, row.id)
  }
  return row.undoing ?? undefined
}

/**
 * Says which undos of a task have failed. If it becomes cancelled, they are announced. Do this before the write that ends the task:
 * they are stored with its steps already, so what is made once more announces them again.
 *
 * @param row `undoing` is what it becomes
 * @returns the error that the task keeps
 */
export async function settleUndos(
  row: Pick<TaskRow, 'id' | 'name' | 'attempts' | 'traceId' | 'undoing' | 'undone' | 'lastError'>,
  { database, log }: { readonly database: Pick<Database, 'select'>; readonly log: Log },
  givenUp?: string,
): Promise<string | null> {
  const failures = await findFailedUndos(database, row, givenUp)
  if (failures.length === 0) return row.lastError
  const failed = `these undos have failed: ${failures.join(', ')}`
  const message = row.lastError ? `${row.lastError}; ${failed}` : failed
  if (row.undoing === 'cancelled') {
    await announce(log, row, {
      code: 'RUNTIME_TASK_UNDO_FAILED',
      error: new Error(message),
      message: `${row.name} is cancelled: ${failed}`,
    })
  }
  return message
}
