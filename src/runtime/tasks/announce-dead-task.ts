import type { Database } from '../database/database.ts'
import type { Log } from '../log/logger.ts'
import { reportError } from '../log/report.ts'
import type { TaskRow } from './table.ts'
import { markAnnounced } from './transitions.ts'

/**
 * Logs a dead task as one ERROR entry, and sends one report. If the process ends before that, the next tick does it.
 */
export async function announceDeadTask(
  database: Pick<Database, 'update'>,
  log: Log,
  row: Pick<TaskRow, 'id' | 'name' | 'attempts' | 'traceId'>,
  error: unknown,
): Promise<void> {
  const { id, name, attempts, traceId } = row
  log.error(
    { err: error, code: 'RUNTIME_TASK_DEAD', task: { id, name, attempts } },
    `${name} is dead after ${attempts} attempts: task ${id}`,
  )
  void reportError(error, { task: name, taskId: id, attempts, ...(traceId && { traceId }) })
  await markAnnounced(database, id)
}
