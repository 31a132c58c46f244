import { sql } from 'drizzle-orm'
import { NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import type { Database, Transaction } from './database.ts'
import { hold } from './held.ts'
import type { CheckedPool } from './pool.ts'
import { runInTransaction } from './scope.ts'

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

/**
 * A transaction whose savepoints, where they are rolled back, forget what waits for the commit on their account, and
 * throw what went wrong rather than what ROLLBACK met.
 */
class OpenTransaction extends NodePgTransaction<NoSchema, NoSchema> {
  override async transaction<Result>(work: (tx: OpenTransaction) => Promise<Result>): Promise<Result> {
    const { session } = this._
    const committed = waiting.get(session) ?? []
    const before = committed.length
    const savepoint = sql.identifier(`sp${this.nestedIndex + 1}`)
    await this.execute(sql`savepoint ${savepoint}`)
    try {
      const result = await work(new OpenTransaction(dialect, session, undefined, this.nestedIndex + 1))
      await this.execute(sql`release savepoint ${savepoint}`)
      return result
    } catch (error) {
      committed.length = before
      await this.execute(sql`rollback to savepoint ${savepoint}`).catch(() => {}) // then COMMIT fails as well
      throw error
    }
  }
}

/**
 * What `database.transaction` does, in place of Drizzle's own, which never gives a connection back when BEGIN
 * fails, throws what ROLLBACK met in place of what went wrong, and takes for committed what is not: after a
 * statement that failed, and whose error was caught, COMMIT rolls back without a word. Its statements end with the
 * request; inside, the pool refuses a second connection.
 */
export function transactionOn(pool: CheckedPool): Database['transaction'] {
  return async function transaction(work, config) {
    const connection = await hold(pool)
    const session = new NodePgSession<NoSchema, NoSchema>(
      connection as unknown as pg.PoolClient,
      dialect,
      undefined,
    )
    const tx = new OpenTransaction(dialect, session, undefined)
    const committed: (() => void)[] = []
    waiting.set(session, committed)
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
