import { drizzle } from 'drizzle-orm/node-postgres'
import type pg from 'pg'
import type { Database } from './database.ts'
import type { CheckedPool } from './pool.ts'

/** A database that can only be read. */
export type Reader = Pick<Database, 'select' | 'selectDistinct' | 'selectDistinctOn' | '$count' | 'execute'>

/**
 * A database whose every query runs in a read-only transaction of its own: PostgreSQL itself refuses a write
 * (SQLSTATE 25006), also one inside a function or a `with`. The extended protocol takes one statement at a time, so
 * that none can end the transaction and go on. No connection is held between queries.
 */
export function readerOn(pool: CheckedPool): Reader {
  const client = {
    async query(query: pg.QueryConfig, values: unknown[]) {
      const single = { ...query, queryMode: 'extended' }
      const connection = await pool.connect()
      let usable = false
      try {
        await connection.query('begin read only')
        try {
          return await connection.query(single, values)
        } finally {
          await connection.query('rollback')
          usable = true
        }
      } finally {
        connection.release(!usable)
      }
    },
  }
  return drizzle(client as unknown as CheckedPool)
}
