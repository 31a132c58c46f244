import { sql } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { CheckedPool } from './pool.ts'

/** Drizzle on a pool of connections; `database.$client.end()` closes it. */
export type Database = NodePgDatabase<Record<string, never>> & { readonly $client: CheckedPool }

/** An open transaction, with the same queries as `Database`. */
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0]

/**
 * Runs an empty query. Resolves when the database responds, and rejects with its error otherwise.
 *
 * @example
 * const readiness = { database: () => pingDatabase(database) }
 */
export async function pingDatabase(database: Database): Promise<void> {
  await database.execute(sql`select 1`)
}
