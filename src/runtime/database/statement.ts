import type pg from 'pg'
import type { RequestContext } from '../kernel/context.ts'
import { waitAtMost } from '../kernel/wait-at-most.ts'
import { cancelStatement } from './cancel-statement.ts'
import { endsConnection } from './errors.ts'
import { type Done, OpeningQuery } from './opening-query.ts'

/** A statement as Drizzle passes it to the driver. */
export type Statement = pg.QueryConfig & { readonly queryMode?: string }

/** Methods that `pg` has, but does not declare in its types. */
interface Queryable {
  query(statement: Statement, values: unknown[], done: Done): void
  query(query: OpeningQuery): void
  /** The server's last status: `I` outside a transaction, `T` inside one, `E` inside one that has failed. */
  getTransactionStatus(): string | null
}

/** What is called when a statement ends. */
export interface StatementCallbacks {
  /** Called once: with PostgreSQL's result or error, or with the signal's reason as soon as the signal aborts. */
  onResult(error: unknown, result?: pg.QueryResult): void
  /** Called once after that, when nothing runs on the connection. `usable` is false if it must leave the pool. */
  onFree(usable: boolean): void
}

const leftOpenMessage =
  'A statement left a transaction open on a connection that other requests will use: the transaction is rolled back. ' +
  'Use database.transaction(async (tx) => …).'
const endedInsideMessage =
  'A statement ended the transaction that it was part of: earlier statements are committed or rolled back already. ' +
  'Do not send COMMIT or ROLLBACK: throw to roll back, and use tx.transaction(…) for a savepoint.'

/**
 * Sends a statement that ends with its request. When the request's signal aborts, it cancels the statement at the
 * server. If the connection does not respond within `recoveryMs` then, it is no longer usable. The response waits for
 * that.
 *
 * @param options.inside whether a transaction is open. A statement that opened or ended one fails, afterwards
 * @param options.begin a BEGIN statement to send before it, in the same message. The statement needs a value then
 */
export function sendStatement(
  client: pg.PoolClient,
  statement: Statement,
  values: unknown[],
  options: {
    request: RequestContext | undefined
    recoveryMs: number
    inside: boolean
    begin?: string | undefined
  },
  { onResult, onFree }: StatementCallbacks,
): void {
  const { request, recoveryMs, inside, begin } = options
  const signal = request?.signal
  if (signal?.aborted) {
    onResult(signal.reason)
    onFree(true)
    return
  }
  const span = request?.span?.child(() => summaryOf(statement), 'client', { 'db.system.name': 'postgresql' })
  let markEnded: (() => void) | undefined
  const abort = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    markEnded = resolve
    request?.pendingWork.push(recover(client, promise, recoveryMs).then(onFree))
    span?.end(signal?.reason)
    onResult(signal?.reason)
  }
  signal?.addEventListener('abort', abort)
  let over = false
  const connection = client as unknown as Queryable
  const done: Done = (error, result) => {
    if (markEnded) return markEnded()
    if (over) return // pg calls twice where a value cannot be sent
    over = true
    signal?.removeEventListener('abort', abort)
    span?.end(error ?? undefined)
    const strayed = !error && isInside(client) !== inside
    if (strayed) onResult(new Error(inside ? endedInsideMessage : leftOpenMessage))
    else onResult(error, result)
    onFree(!strayed && (!error || !endsConnection(error)))
  }
  if (begin === undefined) connection.query(statement, values, done)
  else connection.query(new OpeningQuery(begin, statement, values, done))
}

/** Whether the connection is inside a transaction, as far as the server has said. */
export function isInside(client: pg.PoolClient): boolean {
  return (client as unknown as Queryable).getTransactionStatus() !== 'I'
}

/**
 * Cancels the running statement. It waits until the server has closed the connection that carried the request to
 * cancel: after that, the request cannot hit a later statement.
 *
 * @returns whether the connection responded in time
 */
async function recover(client: pg.PoolClient, ended: Promise<void>, recoveryMs: number): Promise<boolean> {
  const { done, stop } = cancelStatement(client)
  const inTime = await waitAtMost(recoveryMs, Promise.all([done, ended]))
  stop()
  return inTime
}

/** The statement without its name. A name that the caller gave works only on a direct connection, outside transactions. */
export function unnamed(statement: Statement): Statement {
  return statement.name === undefined ? statement : { ...statement, name: undefined }
}

const target = /\b(?:from|into|update|join|table)\s+("?[\w$]+"?(?:\."?[\w$]+"?)?)/i

/**
 * What a span calls a statement: the name that the code gave it, or else its first word and its first table. It never says
 * more of the text, which may hold values.
 */
function summaryOf({ name, text }: Statement): string {
  if (name && !name.startsWith('runtime.')) return name // a defined query has an empty one, until the pool names it
  const [word = 'query'] = /\w+/.exec(text) ?? []
  const [, table = ''] = target.exec(text) ?? []
  return `${word.toUpperCase()} ${table.replaceAll('"', '')}`.trimEnd()
}
