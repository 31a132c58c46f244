import { DrizzleQueryError } from 'drizzle-orm/errors'
import pg from 'pg'

/**
 * An error as the fields of a log entry, without the values that a query was given.
 *
 * @param error whatever was thrown
 * @returns `stack_trace` (with the causes below it) and, for database errors, `database` with its SQLSTATE
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

/** The first PostgreSQL error among `error` and its causes. */
export function findDatabaseError(error: unknown): pg.DatabaseError | undefined {
  for (const cause of causes(error)) if (cause instanceof pg.DatabaseError) return cause
  return undefined
}

/**
 * `error`, its causes, and what an AggregateError joins, outermost first; eight at most, since a cause may lead
 * back to itself.
 */
export function causes(error: unknown): unknown[] {
  const chain: unknown[] = []
  const open = [error]
  while (open.length > 0 && chain.length < 8) {
    const current = open.shift()
    if (current === undefined || current === null) continue
    // a proxy, or a getter that throws, may be thrown as well
    chain.push(readable(current, () => open.push(...below(current))))
  }
  return chain
}

function below(error: unknown): unknown[] {
  return [
    ...(error instanceof Error ? [error.cause] : []),
    ...(error instanceof AggregateError ? error.errors : []),
  ]
}

/** The error itself, where `read` can read it; else one in its place. */
function readable(error: unknown, read: () => unknown): unknown {
  try {
    read()
    return error
  } catch {
    return new Error('What was thrown cannot be read')
  }
}

/** What an error and its causes say, in one line of 2,000 characters at most, without the values of a query. */
export function errorMessage(error: unknown): string {
  const messages = readableCauses(error).map((cause) =>
    cause instanceof Error ? `${cause.name}: ${safeMessage(cause)}` : `a ${typeof cause} was thrown`,
  )
  return messages.join(', caused by ').replaceAll('\0', '').slice(0, 2000)
}

function readableCauses(error: unknown): unknown[] {
  return causes(error).map((cause) => readable(cause, () => oneStack(cause)))
}

function stackTrace(error: unknown): string {
  return readableCauses(error)
    .map((cause, depth) => `${depth === 0 ? '' : 'Caused by: '}${oneStack(cause)}`)
    .join('\n')
}

function oneStack(error: unknown): string {
  if (!(error instanceof Error)) return `Error: a ${typeof error} was thrown instead of an error`
  const stack = (error.stack ?? '').replace(error.message, '') // whose lines could look like frames
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  return [`${error.name}: ${safeMessage(error)}`, ...frames].join('\n')
}

/**
 * Drizzle writes a query's parameters into its message, PostgreSQL's data errors (class 22) quote them, and
 * JSON.parse quotes its text.
 */
function safeMessage(error: Error): string {
  if (error instanceof DrizzleQueryError) return `Failed query: ${error.query}`
  if (error instanceof pg.DatabaseError && error.code?.startsWith('22')) return `data exception ${error.code}`
  if (error instanceof SyntaxError) return 'what was parsed is malformed'
  return error.message
}
