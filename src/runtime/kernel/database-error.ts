import { causes } from './causes.ts'

/** An error that PostgreSQL has sent, as the `pg` package throws it. */
export interface DatabaseError extends Error {
  /** @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly code: string
  readonly severity: string
  readonly schema?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
  readonly routine?: string
}

/** Whether PostgreSQL has sent this error. Its fields tell, so that the logger need not import the driver. */
export function isDatabaseError(error: unknown): error is DatabaseError {
  return (
    error instanceof Error && 'severity' in error && 'code' in error && /^[\dA-Z]{5}$/.test(`${error.code}`)
  )
}

/** The first PostgreSQL error among `error` and its causes. */
export function findDatabaseError(error: unknown): DatabaseError | undefined {
  return causes(error).find(isDatabaseError)
}

/** Whether Drizzle threw the error for a query. Its message contains the values of the query. */
export function isQueryError(error: unknown): error is Error & { readonly query: string } {
  return error instanceof Error && 'query' in error && 'params' in error && typeof error.query === 'string'
}
