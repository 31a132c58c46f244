import { sql } from 'drizzle-orm'
import { NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Database, Transaction } from './database.ts'
import type { CheckedPool } from './pool.ts'

type NoSchema = Record<string, never>

/** What waits for the commit of each open transaction, by its session, which savepoints share. */
const waiting = new WeakMap<object, (() => void)[]>()

/**
 * Calls `then` as soon as the transaction has committed, and never if it does not. `then` must not throw.
 * For a transaction that `database.transaction` did not open, it is never called.
 */
export function afterCommit(tx: Transaction, then: () => void): void {
  waiting.get(tx._.session)?.push(then)
}

const dialect = new PgDialect()

/** A transaction whose savepoints, where they are rolled back, forget what waits for the commit on their account. */
class OpenTransaction extends NodePgTransaction<NoSchema, NoSchema> {
  override transaction<Result>(work: (tx: OpenTransaction) => Promise<Result>): Promise<Result> {
    const { session } = this._
    return super.transaction(async () => {
      const committed = waiting.get(session) ?? []
      const before = committed.length
      try {
        return await work(new OpenTransaction(dialect, session, undefined, this.nestedIndex + 1))
      } catch (error) {
        committed.length = before
        throw error
      }
    })
  }
}

/**
 * What `database.transaction` does, in place of Drizzle's own, which never gives a connection back when BEGIN
 * fails, throws what ROLLBACK met in place of what went wrong, and takes for committed what is not: after a
 * statement that failed, and whose error was caught, COMMIT rolls back without a word.
 */
export function transactionOn(pool: CheckedPool): Database['transaction'] {
  return async function transaction(work, config) {
    const client = await pool.connect()
    const session = new NodePgSession<NoSchema, NoSchema>(client, dialect, undefined)
    const tx = new OpenTransaction(dialect, session, undefined)
    const committed: (() => void)[] = []
    waiting.set(session, committed)
    let usable = true
    try {
      await tx.execute(sql`begin`)
      if (config) await tx.setTransaction(config)
      const result = await work(tx)
      const { command } = await tx.execute(sql`commit`)
      if (command !== 'COMMIT') throw new Error('A statement of the transaction failed: nothing is committed')
      for (const then of committed) then()
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
