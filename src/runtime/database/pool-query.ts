import pg from 'pg'
import { currentRequest } from '../kernel/context.ts'
import type { Problem } from '../kernel/problem.ts'
import { acquire } from './acquire.ts'
import { isStaleStatement, readOnlyProblem } from './errors.ts'
import { type Statement, sendStatement, unnamed } from './statement.ts'
import type { StatementNames } from './statement-names.ts'
import type { DatabaseTimeouts } from './timeouts.ts'

type QueryCallback = (error: unknown, result?: pg.QueryResult) => void

/** What a pool knows about its connections. */
interface QueryPool extends pg.Pool {
  readonly timeouts: DatabaseTimeouts
  readonly names: StatementNames
  /** Whether the connection leads to PostgreSQL itself, which keeps named statements. */
  isDirect(client: pg.PoolClient): boolean
  /** Removes a connection that is no longer usable, and connections that have been idle since before `sent`. */
  drop(client: pg.PoolClient, sent: number): void
}

/**
 * Creates the pool's `query`, in place of `pg`'s own. Here a statement ends with its request, and a connection stays in
 * the pool after PostgreSQL has refused a statement.
 */
export function createPoolQuery(pool: QueryPool) {
  return function query(statement: string | Statement, values: unknown[] = [], ...rest: unknown[]) {
    if (typeof values === 'function' || rest.length > 0) {
      return Reflect.apply(pg.Pool.prototype.query, pool, [statement, values, ...rest])
    }
    const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult>()
    const given = typeof statement === 'string' ? { text: statement } : statement
    queryPool(pool, given, values, (error, result) => (result ? resolve(result) : reject(error)))
    return promise
  }
}

function queryPool(pool: QueryPool, statement: Statement, values: unknown[], callback: QueryCallback): void {
  const request = currentRequest()
  acquire(pool, request?.signal, (error, client) => {
    if (!client) return callback(error)
    const sent = performance.now()
    const options = { request, recoveryMs: pool.timeouts.recoveryMs, inside: false }
    const direct = pool.isDirect(client)
    const sendable = direct ? pool.names.name(statement, values) : unnamed(statement)
    const named = sendable.name !== undefined
    let stale = false
    let problem: Problem | undefined
    sendStatement(client, sendable, values, options, {
      onResult(error, result) {
        stale = named && isStaleStatement(error)
        problem = readOnlyProblem(error)
        if (stale) pool.names.forget(statement)
        else callback(problem ?? error, result)
      },
      onFree(usable) {
        if (stale) resend(client)
        else if (usable && !problem) client.release()
        else pool.drop(client, sent)
      },
    })

    /**
     * Sends the statement without its name: the named one has done nothing. Then the connection is removed, since the next
     * statement of that name would fail as well.
     */
    function resend(client: pg.PoolClient): void {
      const free = () => client.release(true)
      sendStatement(client, unnamed(statement), values, options, { onResult: callback, onFree: free })
    }
  })
}
