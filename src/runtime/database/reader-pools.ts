import type { Log } from '../log/logger.ts'
import { createDatabase } from './create-database.ts'
import { pingDatabase } from './database.ts'
import type { Reader } from './reader.ts'

/**
 * Opens a further pool for reading, such as one to a read replica. It works like the service's main pool: statements end
 * with their request, dead connections are replaced, an IAM user logs in by token. `/ready` checks it, and it closes when
 * the service stops. The runtime itself never uses it: idempotency and tasks must see what was just written, and a replica
 * may be behind.
 *
 * @param options.name its name in `/ready` and in the names of its connections, such as `replica`
 * @param options.url a PostgreSQL URL, from a variable of the feature (`databaseUrl`)
 * @param options.pool how many connections at most; 10 if absent
 * @throws {Error} for a name that is taken
 * @example
 * const reports = defineFeature({
 *   name: 'reports',
 *   description: 'Reports.',
 *   variables: { REPLICA_URL: variable('must be a PostgreSQL URL', databaseUrl, undefined) },
 *   routes({ database, config: { REPLICA_URL: url }, openReader }) {
 *     const reader = url ? openReader({ name: 'replica', url }) : database
 *     return []
 *   },
 * })
 */
export type OpenReader = (options: { name: string; url: string; pool?: number }) => Reader

/** The pools for reading that features have opened. */
export interface ReaderPools {
  readonly open: OpenReader
  /** The readiness check of each pool, by name: it resolves when the database responds. */
  checks(): Record<string, () => Promise<void>>
  /** Closes all read pools. Resolves when every running statement has ended. */
  close(): Promise<void>
}

/**
 * Creates the object that opens and closes the read pools.
 *
 * @param options see `createDatabase`
 * @example
 * const readers = createReaderPools({
 *   metadataHost: config.GCE_METADATA_HOST,
 *   timeoutSeconds: config.REQUEST_TIMEOUT,
 *   name: 'orders',
 *   log,
 * })
 * await readers.close()
 */
export function createReaderPools(options: {
  metadataHost: string
  timeoutSeconds: number
  name: string
  log: Log
}): ReaderPools {
  const opened = new Map<string, ReturnType<typeof createDatabase>>()
  return {
    open({ name, url, pool = 10 }) {
      if (opened.has(name) || name === 'database')
        throw new Error(`Two databases have the name ${name}: rename one.`)
      const reader = createDatabase({ ...options, url, pool, name: `${options.name} ${name}` })
      opened.set(name, reader)
      return reader
    },
    checks: () => Object.fromEntries([...opened].map(([name, reader]) => [name, () => pingDatabase(reader)])),
    async close() {
      const all = [...opened.values()]
      opened.clear()
      await Promise.all(all.map((reader) => reader.$client.end()))
    },
  }
}
