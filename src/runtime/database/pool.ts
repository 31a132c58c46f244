import pg from 'pg'
import { within } from '../kernel/within.ts'
import { GuardedClient } from './client.ts'
import { connectionProblem, unavailable } from './errors.ts'
import { introduce } from './introduce.ts'
import type { Limits } from './limits.ts'
import { refusalInTransaction } from './scope.ts'
import { queryOn } from './single.ts'

/** A connection that rested longer is asked whether it still lives: the CPU, or the other end, may have been off. */
const restMs = 1_000
const askMs = 1_000
/** How long a connection is silent before the kernel asks whether the other end is there. */
const keepAliveMs = 10_000

type Callback = NonNullable<Parameters<pg.Pool['connect']>[0]>

/**
 * A pool that hands out living connections only, and keeps no timer for the idle ones. Its statements end with their
 * requests.
 *
 * On Cloud Run the CPU is off between requests: the server, a proxy or a failover may end a connection unseen.
 */
export class CheckedPool extends pg.Pool {
  readonly limits: Limits
  readonly #restingSince = new WeakMap<pg.PoolClient, number>()
  readonly #direct = new WeakSet<pg.PoolClient>()
  readonly #ended = new WeakMap<pg.PoolClient, Error>()
  readonly #configured: boolean
  /** A connection that had rested since then was found dead. */
  #deadSince = Number.NEGATIVE_INFINITY

  constructor(options: {
    url: string | undefined
    password?: (() => Promise<string>) | undefined
    max: number
    limits: Limits
    name: string
  }) {
    super({
      Client: GuardedClient,
      connectionString: options.url,
      password: options.password,
      max: options.max,
      application_name: options.name,
      connectionTimeoutMillis: options.limits.connectMs,
      idleTimeoutMillis: 0,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
    })
    this.limits = options.limits
    this.query = queryOn(this) as pg.Pool['query']
    this.#configured = options.url !== undefined
    // without a listener, a connection that dies while a handler holds it would end the process
    this.on('connect', (client) => client.on('error', (error) => this.#note(client, error)))
    this.on('release', (_error, client) => this.#restingSince.set(client, performance.now()))
  }

  override connect(): Promise<pg.PoolClient>
  override connect(callback: Callback): void
  override connect(callback?: Callback): Promise<pg.PoolClient> | undefined {
    const refusal = refusalInTransaction()
    if (callback) return void (refusal ? callback(refusal, undefined, nothing) : this.#living(callback))
    if (refusal) return Promise.reject(refusal)
    const { promise, resolve, reject } = Promise.withResolvers<pg.PoolClient>()
    this.#living((error, client) => (client ? resolve(client) : reject(error)))
    return promise
  }

  /** Whether the server itself is at the other end, not a pooler that may change it between two transactions. */
  isDirect(client: pg.PoolClient): boolean {
    return this.#direct.has(client)
  }

  /** The first error says why; those after it only that it is over. */
  #note(client: pg.PoolClient, error: Error): void {
    if (!this.#ended.has(client)) this.#ended.set(client, error)
  }

  /** Why a connection ended while nothing was under way on it: its next statement only says that it did. */
  whyEnded(client: pg.PoolClient): Error | undefined {
    return this.#ended.get(client)
  }

  /**
   * Takes a connection out that is of no use any more, and with it, before they are used, those that have rested
   * through the same: a silence, a failover.
   *
   * @param since when it was good last
   */
  drop(client: pg.PoolClient, since: number): void {
    this.#deadSince = Math.max(this.#deadSince, since)
    client.release(true)
  }

  /** Hands out the next connection that answers; the dead ones leave the pool, which opens others in their place. */
  #living(callback: Callback): void {
    if (!this.#configured) {
      callback(unavailable(new Error('DATABASE_URL is not set')), undefined, nothing)
      return
    }
    super.connect((error, client, release) => {
      if (!client) return callback(connectionProblem(error), undefined, nothing)
      const since = this.#restingSince.get(client)
      if (since === undefined) return void this.#introduce(client, callback)
      const suspect = since <= this.#deadSince
      if (!suspect && performance.now() - since < restMs) return callback(undefined, client, release)
      // what has rested through the same silence is not asked as well: each might take its second
      const asked = suspect ? Promise.resolve(false) : answers(client)
      void asked.then((alive) => {
        if (alive) return callback(undefined, client, release)
        this.drop(client, since)
        this.#living(callback)
      })
    })
  }

  async #introduce(client: pg.PoolClient, callback: Callback): Promise<void> {
    try {
      if (await introduce(client, this.limits)) this.#direct.add(client)
    } catch (error) {
      client.release(true)
      return callback(connectionProblem(error), undefined, nothing)
    }
    callback(undefined, client, client.release)
  }
}

function nothing(): void {}

/** An empty query is the shortest question that PostgreSQL answers. */
async function answers(client: pg.PoolClient): Promise<boolean> {
  let alive = false
  const asked = client.query('').then(() => {
    alive = true
  })
  return (await within(askMs, asked)) && alive
}
