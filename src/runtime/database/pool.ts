import pg from 'pg'
import { within } from '../within.ts'
import { connectionProblem, unavailable } from './errors.ts'

const connectTime = 3_000
/** A connection that rested longer is asked whether it still lives: the CPU, or the other end, may have been off. */
const restTime = 1_000
const askTime = 1_000

type Callback = Parameters<pg.Pool['connect']>[0]

/**
 * A pool that hands out living connections only, and keeps no timer for the idle ones.
 *
 * On Cloud Run the CPU is off between requests: the server, a proxy or a failover may end a connection unseen.
 */
export class CheckedPool extends pg.Pool {
  readonly #restingSince = new WeakMap<pg.PoolClient, number>()
  readonly #configured: boolean
  /** A connection that had rested since then was found dead. */
  #deadSince = Number.NEGATIVE_INFINITY

  /** @param options.timeout seconds that a statement, or an idle transaction, may take */
  constructor(options: { url: string | undefined; max: number; timeout: number; name: string }) {
    const milliseconds = options.timeout * 1000
    super({
      connectionString: options.url,
      max: options.max,
      application_name: options.name,
      connectionTimeoutMillis: Math.min(connectTime, milliseconds / 2),
      idleTimeoutMillis: 0,
      keepAlive: true,
      statement_timeout: milliseconds,
      idle_in_transaction_session_timeout: milliseconds,
    })
    this.#configured = options.url !== undefined
    // without a listener, a connection that dies while a handler holds it would end the process
    this.on('connect', (client) => client.on('error', () => {}))
    this.on('release', (_error, client) => this.#restingSince.set(client, performance.now()))
  }

  override connect(): Promise<pg.PoolClient>
  override connect(callback: NonNullable<Callback>): void
  override connect(callback?: Callback): Promise<pg.PoolClient> | undefined {
    if (callback) return void this.#living(callback)
    const { promise, resolve, reject } = Promise.withResolvers<pg.PoolClient>()
    this.#living((error, client) => (client ? resolve(client) : reject(error)))
    return promise
  }

  /** Hands out the next connection that answers; the dead ones leave the pool, which opens others in their place. */
  #living(callback: NonNullable<Callback>): void {
    if (!this.#configured) {
      callback(unavailable(new Error('DATABASE_URL is not set')), undefined, nothing)
      return
    }
    super.connect((error, client, release) => {
      if (!client) return callback(connectionProblem(error), undefined, nothing)
      const since = this.#restingSince.get(client)
      if (since === undefined || performance.now() - since < restTime)
        return callback(undefined, client, release)
      // what has rested through the same silence is not asked as well: each might take its second
      const asked = since <= this.#deadSince ? Promise.resolve(false) : answers(client)
      void asked.then((alive) => {
        if (alive) return callback(undefined, client, release)
        this.#deadSince = Math.max(this.#deadSince, since)
        release(true)
        this.#living(callback)
      })
    })
  }
}

function nothing(): void {}

/** An empty query is the shortest question that PostgreSQL answers. */
async function answers(client: pg.PoolClient): Promise<boolean> {
  let alive = false
  const asked = client.query('').then(() => {
    alive = true
  })
  return (await within(askTime, asked)) && alive
}
