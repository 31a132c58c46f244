import { join } from 'node:path'
import pg from 'pg'
import type { Environment } from '../machine/settings.ts'
import { startPostgres } from '../postgres/start.ts'
import type { LocalService } from './local-service.ts'

/**
 * The database of development: an embedded server on `DATA_DIR/postgres`, unless DATABASE_URL names another.
 *
 * @throws what `startPostgres` does
 */
export async function startDatabase(environment: Environment): Promise<LocalService> {
  if (environment.DATABASE_URL) {
    return { environment: {}, facts: [['Database', 'yours (DATABASE_URL)']], stop: async () => {} }
  }
  const dataDir = join(environment.DATA_DIR ?? '.data', 'postgres')
  const server = await startPostgres({ dataDir })
  const url = await ensureDatabase(server.url, 'service')
  const facts: LocalService['facts'] = [
    ['Database', url],
    ['Its data', `${dataDir} (stop, and delete it to start with an empty database)`],
  ]
  return { environment: { DATABASE_URL: url }, facts, stop: server.stop }
}

/** Creates the database unless it is there. Returns its URL. */
async function ensureDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name])
    if (!rowCount) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
  return new URL(name, serverUrl).href
}
