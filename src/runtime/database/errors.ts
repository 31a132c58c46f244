import { causes } from '../kernel/causes.ts'
import { findDatabaseError, isDatabaseError, isQueryError } from '../kernel/database-error.ts'
import { Problem, problems } from '../kernel/problem.ts'

/** Conditions that pass by themselves: the caller may retry. */
const busyCodes = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '53300', // too_many_connections
  '55P03', // lock_not_available
  '57014', // query_canceled: the statement timeout
])

/** How a lost connection shows: the codes of the socket, and the messages of pg. */
const connectionLostCodes = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])
const connectionLostMessage =
  /^(Connection terminated|Client (has encountered a connection error|was closed)|What the database sent cannot)/

/**
 * The 503 for a database that is busy or cannot be reached. The caller sees nothing of PostgreSQL's own message.
 *
 * @returns `undefined` for every other error
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function databaseProblem(error: unknown): Problem | undefined {
  const code = findDatabaseError(error)?.code
  if (code && busyCodes.has(code)) return databaseOverloaded(error)
  const gone = code ? /^(08|57P|25P03)/.test(code) : isConnectionLost(error)
  return gone ? databaseUnavailable(error) : undefined
}

/** The 503 for a server that accepts no writes (SQLSTATE 25006), such as the old primary after a failover. */
export function readOnlyProblem(error: unknown): Problem | undefined {
  return isDatabaseError(error) && error.code === '25006' ? databaseUnavailable(error) : undefined
}

/** Whether the server closes the connection after this error. (The pool itself removes a connection that is lost.) */
export function endsConnection(error: unknown): boolean {
  if (!isDatabaseError(error)) return false
  return error.severity !== 'ERROR' || /^(08|57P)/.test(error.code)
}

/** SQLSTATEs for a prepared statement that is no longer valid: `0A000` after a migration has changed its columns. */
const staleCodes = new Set(['0A000', '26000', '42P05'])

/** Whether a named statement failed because its prepared form is no longer valid. It has done nothing then. */
export function isStaleStatement(error: unknown): boolean {
  return isDatabaseError(error) && staleCodes.has(error.code)
}

/** The 503 for a connection that could not be opened. */
export function connectionProblem(error: unknown): Problem {
  const waited = error instanceof Error && error.message === 'timeout exceeded when trying to connect'
  return waited ? databaseOverloaded(error) : (databaseProblem(error) ?? databaseUnavailable(error))
}

/** The 503 for a database that cannot be reached. */
export function databaseUnavailable(cause: unknown): Problem {
  return new Problem(problems.DATABASE_UNAVAILABLE, { headers: { 'Retry-After': '5' }, cause })
}

function databaseOverloaded(cause: unknown): Problem {
  return new Problem(problems.OVERLOADED, { headers: { 'Retry-After': '1' }, cause })
}

/** Whether a query lost its connection. A handler's own calls may fail with the same codes, so the query is checked. */
function isConnectionLost(error: unknown): boolean {
  const chain = causes(error)
  const ofQuery = chain.some(isQueryError)
  return chain.some((cause) => {
    if (!(cause instanceof Error)) return false
    const { code = '' } = cause as NodeJS.ErrnoException
    return connectionLostMessage.test(cause.message) || (ofQuery && connectionLostCodes.has(code))
  })
}
