import { causes } from '../kernel/causes.ts'
import { findDatabaseError, isDatabaseError, isQueryError } from '../kernel/database-error.ts'
import { Problem, problems } from '../kernel/problem.ts'

/** Conditions that pass by themselves: the caller may come back. */
const busy = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '53300', // too_many_connections
  '55P03', // lock_not_available
  '57014', // query_canceled: the statement timeout
])

/** How a connection ends under a query: in a socket's words, and in pg's. */
const lostCodes = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])
const lostWords =
  /^(Connection terminated|Client (has encountered a connection error|was closed)|What the database sent cannot)/

/**
 * The 503 for a database that is busy or gone; nothing of PostgreSQL's own message reaches the caller.
 *
 * @returns `undefined` for every other error
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function databaseProblem(error: unknown): Problem | undefined {
  const code = findDatabaseError(error)?.code
  if (code && busy.has(code)) return overloaded(error)
  const gone = code ? /^(08|57P|25P03)/.test(code) : isLost(error)
  return gone ? unavailable(error) : undefined
}

/** The 503 for a server that takes no writes (SQLSTATE 25006), such as the old primary after a failover. */
export function readOnlyProblem(error: unknown): Problem | undefined {
  return isDatabaseError(error) && error.code === '25006' ? unavailable(error) : undefined
}

/** Whether the server ends the connection with this error. One that is lost already, the pool itself lets go. */
export function endsConnection(error: unknown): boolean {
  if (!isDatabaseError(error)) return false
  return error.severity !== 'ERROR' || /^(08|57P)/.test(error.code)
}

/** What PostgreSQL says to a prepared statement that holds no more: `0A000` where a migration changed its columns. */
const stale = new Set(['0A000', '26000', '42P05'])

/** Whether a named statement failed before it did anything, because of its name. */
export function isStaleStatement(error: unknown): boolean {
  return isDatabaseError(error) && stale.has(error.code)
}

/** The 503 for a connection that cannot be had. */
export function connectionProblem(error: unknown): Problem {
  const waited = error instanceof Error && error.message === 'timeout exceeded when trying to connect'
  return waited ? overloaded(error) : (databaseProblem(error) ?? unavailable(error))
}

/** The 503 for a database that is not there. */
export function unavailable(cause: unknown): Problem {
  return new Problem(problems.DATABASE_UNAVAILABLE, { headers: { 'Retry-After': '5' }, cause })
}

function overloaded(cause: unknown): Problem {
  return new Problem(problems.OVERLOADED, { headers: { 'Retry-After': '1' }, cause })
}

/** Whether a query lost its connection; a handler's calls to others may fail with the same codes. */
function isLost(error: unknown): boolean {
  const chain = causes(error)
  const ofQuery = chain.some(isQueryError)
  return chain.some((cause) => {
    if (!(cause instanceof Error)) return false
    const { code = '' } = cause as NodeJS.ErrnoException
    return lostWords.test(cause.message) || (ofQuery && lostCodes.has(code))
  })
}
