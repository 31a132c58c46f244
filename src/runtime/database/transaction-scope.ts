import { AsyncLocalStorage } from 'node:async_hooks'

/** The transaction that code runs in. */
export interface TransactionScope {
  /** Whether it was committed or rolled back. */
  readonly ended: boolean
}

const storage = new AsyncLocalStorage<TransactionScope>()

/** Runs the function of a transaction. Code inside may not query the pool: that would take a second connection. */
export function runInTransaction<Result>(scope: TransactionScope, work: () => Result): Result {
  return storage.run(scope, work)
}

/**
 * The error for code inside a transaction that queries the pool. It would hold one connection and wait for a second: if
 * all connections were held so, all requests would wait for each other.
 *
 * @returns `undefined` outside a transaction
 */
export function secondConnectionError(): Error | undefined {
  const scope = storage.getStore()
  if (!scope || scope.ended) return undefined
  return new Error(
    'The database was used inside a transaction: the query would wait for a second connection while it holds one. ' +
      'Use the transaction instead: c.var.tx in an idempotent route, tx in database.transaction(async (tx) => …) and ' +
      'in the function that a task returns, tx.transaction(…) for a savepoint.',
  )
}
