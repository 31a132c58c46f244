import { AsyncLocalStorage } from 'node:async_hooks'

/** A transaction that code may be inside of. */
export interface TransactionScope {
  /** Whether it was committed or rolled back. */
  readonly over: boolean
}

const storage = new AsyncLocalStorage<TransactionScope>()

/** Runs the work of a transaction: what it calls may not use the pool, which has a connection of its own for each. */
export function runInTransaction<Result>(scope: TransactionScope, work: () => Result): Result {
  return storage.run(scope, work)
}

/**
 * Why a request that holds a connection gets no second one: where all connections are held so, each request waits for
 * the others.
 *
 * @returns nothing outside a transaction
 */
export function refusalInTransaction(): Error | undefined {
  const scope = storage.getStore()
  if (!scope || scope.over) return undefined
  return new Error(
    'The database was used inside a transaction: it would wait for a second connection while it holds one. ' +
      'Use the transaction: c.var.tx in an idempotent route, tx in database.transaction(async (tx) => …) and in what ' +
      'a task returns; tx.transaction(…) for a savepoint.',
  )
}
