import { requestMarginMs } from '../kernel/request-margin.ts'

/** How long the service waits for the database, in milliseconds. */
export interface DatabaseTimeouts {
  /** For a connection. */
  readonly connectMs: number
  /** For a statement, or for an idle transaction. The server ends it before the request's own deadline. */
  readonly statementMs: number
  /** For a lock that another transaction holds. */
  readonly lockMs: number
  /** For a connection to become usable again after its request has ended. */
  readonly recoveryMs: number
}

/**
 * Derives the timeouts from the request's.
 *
 * @param requestTimeoutSeconds REQUEST_TIMEOUT, in seconds
 */
export function databaseTimeouts(requestTimeoutSeconds: number): DatabaseTimeouts {
  const marginMs = requestMarginMs(requestTimeoutSeconds)
  const statementMs = Math.round(1000 * requestTimeoutSeconds - 2 * marginMs)
  return {
    connectMs: Math.min(3_000, requestTimeoutSeconds * 500),
    statementMs,
    lockMs: Math.min(10_000, Math.round(statementMs / 2)),
    recoveryMs: Math.min(1_000, marginMs / 2),
  }
}
