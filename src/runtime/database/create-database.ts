import { drizzle } from 'drizzle-orm/node-postgres'
import type { Log } from '../log/logger.ts'
import type { Database } from './database.ts'
import { iamLogin } from './iam-login.ts'
import { limitsOf } from './limits.ts'
import { CheckedPool } from './pool.ts'
import { transactionOn } from './transaction.ts'

/**
 * Creates the pool. It opens no connection yet: the requests that need one open it.
 *
 * @param options.url a PostgreSQL URL, unix sockets included (`postgres://user:pw@/name?host=/cloudsql/P:R:I`);
 *   without it, every query throws DATABASE_UNAVAILABLE
 * @param options.metadataHost where the password of an IAM user is looked up (see `iamLogin`)
 * @param options.pool how many connections at most
 * @param options.timeout the longest that a request may take, in seconds: see `limitsOf`
 */
export function createDatabase(options: {
  url: string | undefined
  metadataHost?: string
  pool: number
  timeout: number
  name: string
  log: Log
}): Database {
  const { url, metadataHost, pool: max, timeout, name, log } = options
  const password = iamLogin(url, metadataHost)
  const pool = new CheckedPool({ url, password, max, limits: limitsOf(timeout), name })
  pool.on('error', (err) =>
    log.info({ err }, 'An idle database connection ended; the next request opens another'),
  )
  return Object.assign(drizzle(pool), { transaction: transactionOn(pool) })
}
