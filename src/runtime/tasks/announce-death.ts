import type { Log } from '../log/logger.ts'
import { announce } from './announce.ts'
import type { TaskRow } from './table.ts'

/**
 * Announces a dead task. Call it when the death is committed, and `markAnnounced` after it: a tick announces the deaths that
 * are not marked.
 */
export function announceDeath(
  log: Log,
  row: Pick<TaskRow, 'id' | 'name' | 'attempts' | 'traceId'>,
  error: unknown,
): Promise<void> {
  const message = `${row.name} is dead after ${row.attempts} attempts: task ${row.id}`
  return announce(log, row, { code: 'RUNTIME_TASK_DEAD', error, message })
}
