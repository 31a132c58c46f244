import { Problem, problems } from '../http/problem.ts'
import { causes, findDatabaseError } from '../log/error-fields.ts'

/** Conditions that pass by themselves: the caller may come back. */
const busy = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '53300', // too_many_connections
  '55P03', // lock_not_available
  '57014', // query_canceled: the statement timeout
])

const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
])

/**
 * The 503 for a database that is busy or gone; nothing of PostgreSQL's own message reaches the caller.
 *
 * @returns `undefined` for every other error
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function databaseProblem(error: unknown): Problem | undefined {
  const code = findDatabaseError(error)?.code
  if (code && busy.has(code)) return overloaded(error)
  const gone = code ? /^(08|57P)/.test(code) : causes(error).some(isConnectionError)
  if (!gone) return undefined
  return new Problem(problems.DATABASE_UNAVAILABLE, { headers: { 'Retry-After': '5' }, cause: error })
}

/** The 503 for a pool whose connections are all in use. */
export function overloaded(cause: unknown): Problem {
  return new Problem(problems.OVERLOADED, { headers: { 'Retry-After': '1' }, cause })
}

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, syscall } = error as NodeJS.ErrnoException
  const ours = syscall === 'connect' || syscall === 'read' || syscall === 'write' || syscall === 'getaddrinfo'
  return (ours && unreachable.has(code ?? '')) || /^Connection terminated/.test(error.message)
}
