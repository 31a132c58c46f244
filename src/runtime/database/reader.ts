import { drizzle } from 'drizzle-orm/node-postgres'
import type { Database } from './database.ts'
import type { CheckedPool } from './pool.ts'
import type { Statement } from './statement.ts'
import { acquireForTransaction } from './transaction-connection.ts'

/** The queries that only read. */
export type Reader = Pick<Database, 'select' | 'selectDistinct' | 'selectDistinctOn' | '$count' | 'execute'>

/**
 * Creates a database that can only be read. Each query runs in a read-only transaction of its own, so PostgreSQL itself
 * refuses writes (SQLSTATE 25006), also inside a function or a `with`. The extended protocol accepts one statement per
 * query, so a query cannot end the transaction and continue. No connection is held between two queries.
 *
 * @example
 * const reader = createReader(database.$client)
 * const rows = await reader.select().from(orders)
 */
export function createReader(pool: CheckedPool): Reader {
  const client = {
    async query(statement: Statement, values: unknown[]) {
      const connection = await acquireForTransaction(pool)
      try {
        await connection.begin({ accessMode: 'read only' })
        return await connection.query({ ...statement, queryMode: 'extended' }, values)
      } finally {
        await connection.rollback()
        connection.release()
      }
    },
  }
  return drizzle(client as unknown as CheckedPool)
}
