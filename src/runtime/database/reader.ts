import { drizzle } from 'drizzle-orm/node-postgres'
import type { Database } from './database.ts'
import { hold } from './held.ts'
import type { CheckedPool } from './pool.ts'
import type { Statement } from './statement.ts'

/** A database that can only be read. */
export type Reader = Pick<Database, 'select' | 'selectDistinct' | 'selectDistinctOn' | '$count' | 'execute'>

/**
 * A database whose every query runs in a read-only transaction of its own: PostgreSQL itself refuses a write
 * (SQLSTATE 25006), also one inside a function or a `with`. The extended protocol takes one statement at a time, so
 * that none can end the transaction and go on. No connection is held between queries.
 */
export function readerOn(pool: CheckedPool): Reader {
  const client = {
    async query(statement: Statement, values: unknown[]) {
      const connection = await hold(pool)
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
