import type { PgTransactionConfig } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import { currentRequest, type RequestContext } from '../kernel/context.ts'
import { waitAtMost } from '../kernel/wait-at-most.ts'
import { acquire } from './acquire.ts'
import { databaseUnavailable, endsConnection, isStaleStatement, readOnlyProblem } from './errors.ts'
import type { CheckedPool } from './pool.ts'
import { beginStatement } from './prepare-connection.ts'
import { isInside, type Statement, sendStatement, unnamed } from './statement.ts'

/** Waits for a connection for a transaction. Stops waiting when the request ends. */
export function acquireForTransaction(pool: CheckedPool): Promise<TransactionConnection> {
  const { promise, resolve, reject } = Promise.withResolvers<TransactionConnection>()
  const request = currentRequest() // read it here: the callback may run in the context of another request
  acquire(pool, request?.signal, (error, client) => {
    if (client) resolve(new TransactionConnection(pool, client, request))
    else reject(error)
  })
  return promise
}

const endedMessage =
  'The transaction has ended: await each of its queries before the function that you gave to transaction() returns'
const failedMessage = 'A statement of the transaction failed: nothing is committed'

/** A connection that a transaction holds. It sends one statement at a time. Each statement ends with its request. */
export class TransactionConnection {
  readonly #pool: CheckedPool
  readonly #client: pg.PoolClient
  readonly #since = performance.now()
  readonly #signal: AbortSignal | undefined
  readonly #abort: () => void
  readonly #released = Promise.withResolvers<void>()
  /** Resolves when the running statement has finished and the connection is free. */
  #busy: Promise<void> | undefined
  #usable = true
  /** Whether the server has stopped responding. Nothing more is sent then. */
  #unresponsive = false
  #readOnly = false
  /** BEGIN, until it is sent: a direct connection sends it with the first statement. */
  #begin: string | undefined
  /** Whether the server has said that the transaction is open. */
  #opened = false
  /** Whether BEGIN has failed, or the statement that went with it. No other statement is sent then. */
  #failed = false
  /** Whether it was committed or rolled back, or its connection was released. */
  ended = false

  /** @param request its response waits until the connection is released, but no longer than `recoveryMs` */
  constructor(pool: CheckedPool, client: pg.PoolClient, request: RequestContext | undefined) {
    this.#pool = pool
    this.#client = client
    this.#signal = request?.signal
    this.#abort = () =>
      void request?.pendingWork.push(waitAtMost(pool.timeouts.recoveryMs, this.#released.promise))
    this.#signal?.addEventListener('abort', this.#abort)
  }

  /** Sends BEGIN; on a direct connection, the first statement takes it along. */
  async begin({ isolationLevel, accessMode, deferrable }: PgTransactionConfig = {}): Promise<void> {
    this.#readOnly = accessMode === 'read only'
    const modes = [
      isolationLevel && `isolation level ${isolationLevel}`,
      accessMode,
      deferrable !== undefined && `${deferrable ? '' : 'not '}deferrable`,
    ].filter(Boolean)
    const { timeouts } = this.#pool
    const direct = this.#pool.isDirect(this.#client)
    const begin = beginStatement(modes.join(' '), direct, timeouts)
    if (direct) this.#begin = begin
    else await this.#send({ text: begin }, [])
  }

  /** Drizzle calls this for each query. */
  async query(statement: Statement, values: unknown[] = []): Promise<pg.QueryResult> {
    for (;;) {
      while (this.#busy) await this.#busy
      if (this.#failed) throw new Error(failedMessage)
      if (this.ended) throw new Error(endedMessage)
      const begin = values.length === 0 ? this.#takeBegin() : undefined
      if (begin === undefined) break
      await this.#send({ text: begin }, [])
    }
    const plain = unnamed(statement) // a name of the caller's could become stale after the first statement
    return this.#send(
      this.#pool.isDirect(this.#client) ? this.#pool.names.name(plain, values) : plain,
      values,
      this.#takeBegin(),
    )
  }

  /** The BEGIN statement, once. */
  #takeBegin(): string | undefined {
    const begin = this.#begin
    this.#begin = undefined
    return begin
  }

  /** Ends a transaction without a statement: nothing was sent. @returns whether it is one */
  #endUnsent(): boolean {
    const unsent = this.#takeBegin() !== undefined
    this.ended ||= unsent
    return unsent
  }

  /**
   * Sends COMMIT, unless the request has ended. COMMIT is never cancelled: the outcome would be unknown.
   *
   * @throws {Error} when an earlier statement failed: PostgreSQL commits nothing then
   */
  async commit(): Promise<void> {
    while (this.#busy) await this.#busy
    currentRequest()?.signal?.throwIfAborted()
    if (this.#unresponsive)
      throw databaseUnavailable(new Error('The connection of the transaction no longer responds'))
    if (this.#endUnsent()) return
    if (this.#failed) throw new Error(failedMessage)
    const result = await this.#finish('commit')
    if (!result) throw databaseUnavailable(new Error('The database did not say whether it committed'))
    if (result.command !== 'COMMIT') throw new Error(failedMessage)
  }

  /**
   * Sends ROLLBACK, also when the request has ended. It waits for the response, or for the end of the connection: the
   * server reports an error before it releases the locks, and a retry must not meet them. It never throws, so that the
   * caller sees the first error.
   */
  async rollback(): Promise<void> {
    while (this.#busy) await this.#busy
    if (this.#unresponsive) return
    if (this.#endUnsent()) return
    if (!(await this.#finish('rollback').catch(() => undefined))) this.#usable = false
  }

  /** Gives the connection back to the pool, or drops it if it is no longer usable. */
  release(): void {
    this.ended = true
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#released.resolve()
    if (this.#usable) this.#client.release()
    else this.#pool.drop(this.#client, this.#since)
  }

  /** If the statement failed because the connection had ended, sets the reason for that end as the cause of the error. */
  #explain(error: unknown): unknown {
    const why = this.#pool.endReason(this.#client)
    if (why && error instanceof Error && error !== why) error.cause ??= why
    return error
  }

  #send(statement: Statement, values: unknown[], begin?: string): Promise<pg.QueryResult> {
    const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult>()
    const { promise: busy, resolve: freed } = Promise.withResolvers<void>()
    this.#busy = busy
    const { recoveryMs } = this.#pool.timeouts
    const options = { request: currentRequest(), recoveryMs, inside: true, begin }
    let failure: unknown
    sendStatement(this.#client, statement, values, options, {
      onResult: (error, result) => {
        failure = this.#explain(error)
        const stale = statement.name !== undefined && isStaleStatement(error)
        if (stale) this.#pool.names.forget(statement)
        const readOnly = this.#readOnly ? undefined : readOnlyProblem(error)
        if (readOnly) this.#usable = false
        const problem = stale ? databaseUnavailable(error) : readOnly
        if (result) resolve(result)
        else reject(problem ?? error)
      },
      onFree: (usable) => {
        this.#usable &&= usable
        this.#unresponsive ||= !usable && !endsConnection(failure)
        this.#opened ||= isInside(this.#client)
        this.#failed = !this.#opened
        this.#busy = undefined
        freed()
      },
    })
    return promise
  }

  /** @returns nothing if the database did not respond within `recoveryMs` after the request's end */
  async #finish(text: string): Promise<pg.QueryResult | undefined> {
    this.ended = true
    const request = currentRequest()
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const span = request?.span?.child(text.toUpperCase(), 'client', { 'db.system.name': 'postgresql' })
    const sent = this.#client.query(text)
    const abort = () => {
      const ended = waitAtMost(this.#pool.timeouts.recoveryMs, sent).then(() => resolve(undefined))
      request?.pendingWork.push(ended)
    }
    if (request?.signal?.aborted) abort()
    else request?.signal?.addEventListener('abort', abort)
    try {
      const result = await Promise.race([sent, late])
      if (!result) this.#usable = false
      this.#unresponsive = !result
      return result
    } catch (thrown) {
      const error = this.#explain(thrown)
      span?.fail(error)
      if (endsConnection(error)) this.#usable = false
      throw error
    } finally {
      span?.end()
      request?.signal?.removeEventListener('abort', abort)
    }
  }
}
