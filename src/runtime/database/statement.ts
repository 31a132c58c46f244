import type pg from 'pg'
import type { RequestContext } from '../kernel/context.ts'
import { within } from '../kernel/within.ts'
import { requestCancel } from './cancel.ts'
import { endsConnection } from './errors.ts'

/** A statement as Drizzle hands it over. */
export type Statement = pg.QueryConfig & { readonly queryMode?: string }

/** What `pg` takes, and its types leave out. */
interface Queryable {
  query(
    statement: Statement,
    values: unknown[],
    done: (error: Error | null, result?: pg.QueryResult) => void,
  ): void
  /** What the server said last: `I` outside a transaction, `T` inside one, `E` inside one that has failed. */
  getTransactionStatus(): string | null
}

/** Who waits for a statement. */
export interface Waiting {
  /** Called once: with what PostgreSQL said, or with the signal's reason as soon as it aborts. */
  settle(error: unknown, result?: pg.QueryResult): void
  /** Called once after that, when the connection has nothing under way; false where it must leave the pool. */
  free(usable: boolean): void
}

const leftOpen =
  'A statement left a transaction open on a connection that others use next: nothing of it is kept. ' +
  'Use database.transaction(async (tx) => …).'
const endedInside =
  'A statement ended the transaction that it was part of: what came before it is committed or rolled back already. ' +
  'Leave COMMIT and ROLLBACK to the transaction: throw to roll it back; tx.transaction(…) is a savepoint.'

/**
 * Sends a statement that ends with its request. When the signal aborts, the statement is cancelled at the server; a
 * connection that does not answer then within `recoveryMs` is of no use any more. The response waits for that.
 *
 * @param options.inside whether a transaction is open around it: a statement that begins or ends one is refused, afterwards
 */
export function sendStatement(
  client: pg.PoolClient,
  statement: Statement,
  values: unknown[],
  options: { request: RequestContext | undefined; recoveryMs: number; inside: boolean },
  { settle, free }: Waiting,
): void {
  const { request, recoveryMs, inside } = options
  const signal = request?.signal
  if (signal?.aborted) {
    settle(signal.reason)
    free(true)
    return
  }
  let answered: (() => void) | undefined
  const abort = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    answered = resolve
    request?.unfinished.push(recover(client, promise, recoveryMs).then(free))
    settle(signal?.reason)
  }
  signal?.addEventListener('abort', abort)
  let over = false
  const connection = client as unknown as Queryable
  connection.query(statement, values, (error, result) => {
    if (answered) return answered()
    if (over) return // pg calls twice where a value cannot be sent
    over = true
    signal?.removeEventListener('abort', abort)
    const strayed = !error && (connection.getTransactionStatus() !== 'I') !== inside
    if (strayed) settle(new Error(inside ? endedInside : leftOpen))
    else settle(error, result)
    free(!strayed && (!error || !endsConnection(error)))
  })
}

/**
 * When the server has closed the request to cancel, it can hit no later statement.
 *
 * @returns whether the connection has answered
 */
async function recover(client: pg.PoolClient, answer: Promise<void>, recoveryMs: number): Promise<boolean> {
  const { done, stop } = requestCancel(client)
  const inTime = await within(recoveryMs, Promise.all([done, answer]))
  stop()
  return inTime
}

/** The statement without its name, which holds only on a connection to the server itself, and outside transactions. */
export function unnamed(statement: Statement): Statement {
  return statement.name === undefined ? statement : { ...statement, name: undefined }
}
