import { sql } from 'drizzle-orm'
import { NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import type { Database, Transaction } from './database.ts'
import type { CheckedPool } from './pool.ts'
import { acquireForTransaction } from './transaction-connection.ts'
import { runInTransaction } from './transaction-scope.ts'

type NoSchema = Record<string, never>

/** The callbacks that wait for the commit of each open transaction, by its session. Savepoints share the session. */
const commitCallbacks = new WeakMap<object, (() => void)[]>()

/**
 * Calls `then` as soon as the transaction has committed; never if it rolls back. `then` must not throw.
 * It is never called for a transaction that `database.transaction` did not open.
 */
export function afterCommit(tx: Transaction, then: () => void): void {
  commitCallbacks.get(tx._.session)?.push(then)
}

const dialect = new PgDialect()

/**
 * A transaction with savepoints. A savepoint that rolls back drops the commit callbacks that were added inside it, and
 * throws the first error, not that of ROLLBACK.
 */
class OpenTransaction extends NodePgTransaction<NoSchema, NoSchema> {
  override async transaction<Result>(work: (tx: OpenTransaction) => Promise<Result>): Promise<Result> {
    const { session } = this._
    const committed = commitCallbacks.get(session) ?? []
    const before = committed.length
    const savepoint = sql.identifier(`sp${this.nestedIndex + 1}`)
    await this.execute(sql`savepoint ${savepoint}`)
    try {
      const result = await work(new OpenTransaction(dialect, session, undefined, this.nestedIndex + 1))
      await this.execute(sql`release savepoint ${savepoint}`)
      return result
    } catch (error) {
      committed.length = before
      await this.execute(sql`rollback to savepoint ${savepoint}`).catch(() => {}) // if this fails, COMMIT fails too
      throw error
    }
  }
}

/**
 * Creates the `transaction` method of the database, in place of Drizzle's own. Drizzle's does not release the connection
 * if BEGIN fails. It throws the error of ROLLBACK instead of the first one. And it reports success if a statement failed
 * and its error was caught, though COMMIT rolls back then.
 *
 * Here statements end with their request, and code inside the transaction cannot use a second connection.
 */
export function createTransaction(pool: CheckedPool): Database['transaction'] {
  return async function transaction(work, config) {
    const connection = await acquireForTransaction(pool)
    const session = new NodePgSession<NoSchema, NoSchema>(
      connection as unknown as pg.PoolClient,
      dialect,
      undefined,
    )
    const tx = new OpenTransaction(dialect, session, undefined)
    const committed: (() => void)[] = []
    commitCallbacks.set(session, committed)
    try {
      await connection.begin(config)
      const result = await runInTransaction(connection, () => work(tx))
      await connection.commit()
      for (const then of committed) then()
      return result
    } catch (error) {
      await connection.rollback()
      throw error
    } finally {
      connection.release()
    }
  }
}
