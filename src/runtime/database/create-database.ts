import { drizzle } from 'drizzle-orm/node-postgres'
import type { Log } from '../log/logger.ts'
import type { Database } from './database.ts'
import { iamLogin } from './iam-login.ts'
import { CheckedPool } from './pool.ts'
import { databaseTimeouts } from './timeouts.ts'
import { createTransaction } from './transaction.ts'

/**
 * Creates the pool. It opens no connection yet: the requests that need one open it.
 *
 * @param options.url a PostgreSQL URL, unix sockets included (`postgres://user:pw@/name?host=/cloudsql/P:R:I`);
 *   without it, every query throws DATABASE_UNAVAILABLE
 * @param options.metadataHost where the password of an IAM user is looked up (see `iamLogin`)
 * @param options.pool how many connections at most
 * @param options.timeoutSeconds how long a request may take: see `databaseTimeouts`
 * @param options.name shown in `pg_stat_activity`; cut after 63 characters, PostgreSQL's limit
 * @example
 * const database = createDatabase({
 *   url: config.DATABASE_URL,
 *   pool: config.DATABASE_POOL,
 *   timeoutSeconds: config.REQUEST_TIMEOUT,
 *   name: 'orders',
 *   log,
 * })
 */
export function createDatabase(options: {
  url: string | undefined
  metadataHost?: string
  pool: number
  timeoutSeconds: number
  name: string
  log: Log
}): Database {
  const { url, metadataHost, pool: max, timeoutSeconds, name, log } = options
  const password = iamLogin(url, metadataHost)
  const pool = new CheckedPool({
    url,
    password,
    max,
    timeouts: databaseTimeouts(timeoutSeconds),
    name: name.slice(0, 63),
  })
  pool.on('error', (err) =>
    log.info({ err }, 'An idle database connection ended; the next request opens another'),
  )
  return Object.assign(drizzle(pool), { transaction: createTransaction(pool) })
}
