import type { Log } from '../log/logger.ts'

/** What an operator does to tasks. */
type Action = 'redrive' | 'cancel' | 'run now' | 'signal'

/**
 * Logs what an operator has done, and who it was.
 *
 * @param by `c.var` of the request
 * @param what the tasks, for the reader of the log
 * @param fields the same for queries
 */
export function logAction(
  by: { readonly log: Log; readonly caller: { readonly subject: string } },
  action: Action,
  what: string,
  fields: Record<string, unknown>,
): void {
  const { subject } = by.caller
  by.log.info({ operator: { subject, action, ...fields } }, `${subject}: ${action} of ${what}`)
}
