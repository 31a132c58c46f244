import type { Log } from '../log/logger.ts'
import { reportError } from '../log/report.ts'
import type { TaskRow } from './table.ts'

/** What a person must look at, as alerts of deploy/monitoring name it. */
export type AnnouncedCode = 'RUNTIME_TASK_DEAD' | 'RUNTIME_TASK_UNDO_FAILED'

/**
 * Logs a failure of a task that a person must look at, as one ERROR entry, and sends one report. Write after this what keeps it from
 * being announced again: if the process ends meanwhile, nothing is lost.
 *
 * @returns resolves when the report is sent, or after a second; never rejects
 */
export async function announce(
  log: Log,
  { id, name, attempts, traceId }: Pick<TaskRow, 'id' | 'name' | 'attempts' | 'traceId'>,
  failure: { readonly code: AnnouncedCode; readonly error: unknown; readonly message: string },
): Promise<void> {
  const { code, error, message } = failure
  log.error({ err: error, code, task: { id, name, attempts } }, message)
  await reportError(error, { task: name, taskId: id, attempts, ...(traceId && { traceId }) })
}
