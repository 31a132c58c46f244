import { sql } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { Log } from '../log/logger.ts'
import { iamLogin } from './iam-login.ts'
import { limitsOf } from './limits.ts'
import { CheckedPool } from './pool.ts'
import { transactionOn } from './transaction.ts'

/** Drizzle on a pool of connections; `database.$client.end()` closes it. */
export type Database = NodePgDatabase<Record<string, never>> & { readonly $client: CheckedPool }

/** An open transaction, with the same queries as `Database`. */
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0]

/**
 * Opens nothing yet: connections are made by the requests that need them.
 *
 * @param options.url a PostgreSQL URL, unix sockets included (`postgres://user:pw@/name?host=/cloudsql/P:R:I`);
 *   without one every query answers DATABASE_UNAVAILABLE
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

/** Resolves when the database answers a query. */
export async function pingDatabase(database: Database): Promise<void> {
  await database.execute(sql`select 1`)
}
