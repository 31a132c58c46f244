import { sql } from 'drizzle-orm'
import { NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Database } from './database.ts'
import type { CheckedPool } from './pool.ts'

type NoSchema = Record<string, never>

/**
 * What `database.transaction` does, in place of Drizzle's own, which never gives a connection back when BEGIN
 * fails, throws what ROLLBACK met in place of what went wrong, and takes for committed what is not: after a
 * statement that failed, and whose error was caught, COMMIT rolls back without a word.
 */
export function transactionOn(pool: CheckedPool): Database['transaction'] {
  const dialect = new PgDialect()
  return async function transaction(work, config) {
    const client = await pool.connect()
    const session = new NodePgSession<NoSchema, NoSchema>(client, dialect, undefined)
    const tx = new NodePgTransaction<NoSchema, NoSchema>(dialect, session, undefined)
    let usable = true
    try {
      await tx.execute(sql`begin`)
      if (config) await tx.setTransaction(config)
      const result = await work(tx)
      const { command } = await tx.execute(sql`commit`)
      if (command !== 'COMMIT') throw new Error('A statement of the transaction failed: nothing is committed')
      return result
    } catch (error) {
      await tx.execute(sql`rollback`).catch(() => {
        usable = false
      })
      throw error
    } finally {
      client.release(!usable)
    }
  }
}
