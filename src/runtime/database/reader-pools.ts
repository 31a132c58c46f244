import type { Log } from '../log/logger.ts'
import { createDatabase } from './create-database.ts'
import { pingDatabase } from './database.ts'
import type { Reader } from './reader.ts'

/**
 * Opens a further pool for reading, such as one to a read replica. It is like the service's own: statements end with their
 * request, dead connections are replaced, an IAM user logs in by token. `/ready` waits for it, and it closes when the
 * service stops. The runtime itself never uses it, since a replica is behind: idempotency and tasks must see what was
 * written.
 *
 * @param options.name in `/ready` and in its connections' names, such as `replica`
 * @param options.url a PostgreSQL URL, from a variable of the feature's own (`databaseUrl`)
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
  /** For each by name, what resolves when it responds. */
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
        throw new Error(`There are two databases ${name}: name one otherwise.`)
      const reader = createDatabase({ ...options, url, pool, name: `${options.name} ${name}`.slice(0, 63) })
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
