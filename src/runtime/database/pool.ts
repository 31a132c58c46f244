import pg from 'pg'
import { waitAtMost } from '../kernel/wait-at-most.ts'
import { connectionProblem, databaseUnavailable } from './errors.ts'
import { GuardedClient } from './guarded-client.ts'
import { createPoolQuery } from './pool-query.ts'
import { prepareConnection } from './prepare-connection.ts'
import { StatementNames } from './statement-names.ts'
import type { DatabaseTimeouts } from './timeouts.ts'
import { secondConnectionError } from './transaction-scope.ts'

/** A connection that was idle for longer is checked before use: the CPU may have been off, or the server gone. */
const checkAfterIdleMs = 1_000
const checkTimeoutMs = 1_000
/** How long a connection is silent before the kernel probes the other end. */
const keepAliveMs = 10_000

type Callback = NonNullable<Parameters<pg.Pool['connect']>[0]>

/**
 * A pool that hands out only connections that respond, and keeps no timers for idle ones. Statements end with their
 * requests.
 *
 * On Cloud Run the CPU is off between requests. The server, a proxy or a failover may end a connection unnoticed.
 */
export class CheckedPool extends pg.Pool {
  readonly timeouts: DatabaseTimeouts
  readonly names = new StatementNames()
  readonly #idleSince = new WeakMap<pg.PoolClient, number>()
  readonly #direct = new WeakSet<pg.PoolClient>()
  readonly #ended = new WeakMap<pg.PoolClient, Error>()
  readonly #configured: boolean
  /** When the connection that was last found dead had become idle. */
  #deadSince = Number.NEGATIVE_INFINITY

  constructor(options: {
    url: string | undefined
    password?: (() => Promise<string>) | undefined
    max: number
    timeouts: DatabaseTimeouts
    name: string
  }) {
    super({
      Client: GuardedClient,
      connectionString: options.url,
      password: options.password,
      max: options.max,
      application_name: options.name,
      connectionTimeoutMillis: options.timeouts.connectMs,
      idleTimeoutMillis: 0,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
    })
    this.timeouts = options.timeouts
    this.query = createPoolQuery(this) as pg.Pool['query']
    this.#configured = options.url !== undefined
    // without a listener, a connection that fails while a handler holds it would end the process
    this.on('connect', (client) => client.on('error', (error) => this.#recordEnd(client, error)))
    this.on('release', (_error, client) => this.#idleSince.set(client, performance.now()))
  }

  override connect(): Promise<pg.PoolClient>
  override connect(callback: Callback): void
  override connect(callback?: Callback): Promise<pg.PoolClient> | undefined {
    const refusal = secondConnectionError()
    if (callback) return void (refusal ? callback(refusal, undefined, noop) : this.#connectChecked(callback))
    if (refusal) return Promise.reject(refusal)
    const { promise, resolve, reject } = Promise.withResolvers<pg.PoolClient>()
    this.#connectChecked((error, client) => (client ? resolve(client) : reject(error)))
    return promise
  }

  /** Whether the connection leads to the server itself, not to a pooler. */
  isDirect(client: pg.PoolClient): boolean {
    return this.#direct.has(client)
  }

  /** Keeps the first error of a connection, which states why it ended. Later errors only state that it has ended. */
  #recordEnd(client: pg.PoolClient, error: Error): void {
    if (!this.#ended.has(client)) this.#ended.set(client, error)
  }

  /** Why a connection ended while it was idle. The error of its next statement does not tell. */
  endReason(client: pg.PoolClient): Error | undefined {
    return this.#ended.get(client)
  }

  /**
   * Removes a connection that is no longer usable. Connections that have been idle since before the same moment are
   * removed too, before they are used again: the same failover or network failure has hit them.
   *
   * @param since when the connection was last known to work
   */
  drop(client: pg.PoolClient, since: number): void {
    this.#deadSince = Math.max(this.#deadSince, since)
    client.release(true)
  }

  /** Hands out the next connection that responds. Removes dead ones; the pool opens others in their place. */
  #connectChecked(callback: Callback): void {
    if (!this.#configured) {
      callback(databaseUnavailable(new Error('DATABASE_URL is not set')), undefined, noop)
      return
    }
    super.connect((error, client, release) => {
      if (!client) return callback(connectionProblem(error), undefined, noop)
      const since = this.#idleSince.get(client)
      if (since === undefined) return void this.#prepare(client, callback)
      const suspect = since <= this.#deadSince
      if (!suspect && performance.now() - since < checkAfterIdleMs)
        return callback(undefined, client, release)
      // suspects are dropped without a check: each check could take a second
      const asked = suspect ? Promise.resolve(false) : responds(client)
      void asked.then((alive) => {
        if (alive) return callback(undefined, client, release)
        this.drop(client, since)
        this.#connectChecked(callback)
      })
    })
  }

  async #prepare(client: pg.PoolClient, callback: Callback): Promise<void> {
    try {
      if (await prepareConnection(client, this.timeouts)) this.#direct.add(client)
    } catch (error) {
      client.release(true)
      return callback(connectionProblem(error), undefined, noop)
    }
    callback(undefined, client, client.release)
  }
}

function noop(): void {}

/** Checks a connection by an empty query, the shortest that PostgreSQL knows. */
async function responds(client: pg.PoolClient): Promise<boolean> {
  let alive = false
  const asked = client.query('').then(() => {
    alive = true
  })
  return (await waitAtMost(checkTimeoutMs, asked)) && alive
}
