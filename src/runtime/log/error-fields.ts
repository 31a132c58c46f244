import { causes, orPlaceholder } from '../kernel/causes.ts'
import { findDatabaseError, isDatabaseError, isQueryError } from '../kernel/database-error.ts'

/**
 * Describes an error as fields of a log entry, without the values of a query.
 *
 * @param error anything that was thrown
 * @returns `stack_trace`, which includes the causes; for database errors also `database`, with the SQLSTATE
 * @see https://cloud.google.com/error-reporting/docs/formatting-error-messages
 */
export function errorFields(error: unknown): Record<string, unknown> {
  const fields: Record<string, unknown> = { stack_trace: stackTrace(error) }
  const database = findDatabaseError(error)
  if (database) {
    const { code, schema, table, column, constraint, routine } = database
    fields.database = { code, schema, table, column, constraint, routine }
  }
  return fields
}

/**
 * The messages of an error and its causes, without the values of a query: one line of at most 2,000 characters, which
 * PostgreSQL can store.
 */
export function errorMessage(error: unknown): string {
  const messages = readableCauses(error).map((cause) =>
    cause instanceof Error ? `${cause.name}: ${safeMessage(cause)}` : `a ${typeof cause} was thrown`,
  )
  return messages.join(', caused by ').replaceAll('\0', '').slice(0, 2000).toWellFormed()
}

function readableCauses(error: unknown): unknown[] {
  return causes(error).map((cause) => orPlaceholder(cause, () => stackOf(cause)))
}

function stackTrace(error: unknown): string {
  return readableCauses(error)
    .map((cause, depth) => `${depth === 0 ? '' : 'Caused by: '}${stackOf(cause)}`)
    .join('\n')
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return `Error: a ${typeof error} was thrown instead of an error`
  const stack = (error.stack ?? '').replace(error.message, '') // lines of the message could look like frames
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  return [`${error.name}: ${safeMessage(error)}`, ...frames].join('\n')
}

/**
 * The message without data: Drizzle's messages contain the parameters of a query, PostgreSQL's data errors (class 22) quote
 * them, and JSON.parse quotes its text.
 */
function safeMessage(error: Error): string {
  if (isQueryError(error)) return `Failed query: ${error.query}`
  if (isDatabaseError(error) && error.code.startsWith('22')) return `data exception ${error.code}`
  if (error instanceof SyntaxError) return 'the parsed text is malformed'
  return error.message
}
