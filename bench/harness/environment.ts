import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createOidc } from '../../dev/cloud-tasks/oidc.ts'
import { folders } from './contestants.ts'
import { type Postgres, query, startPostgres } from './postgres.ts'
import type { Environment } from './run.ts'
import { auth } from './token.ts'

/** What stands around the contestants: one database for all, with the service's own tables, and a stand-in for Cloud Tasks. */
export interface Surroundings {
  readonly postgres: Postgres
  readonly databaseUrl: string
  /** What every contestant gets: the settings of a live service. */
  readonly environment: Environment
  /** The Authorization header of callbacks, as Google signs it. */
  callerOfCallbacks(): Promise<string>
  stop(): Promise<void>
}

const issuer = 'https://accounts.example.com'

/** Callers of the requests: each has the same number of orders. */
export const callers = Array.from({ length: 16 }, (_, index) => `caller-${String(index).padStart(2, '0')}`)

/** How many orders each caller has. */
export const ordersPerCaller = 64

/** The id of a caller's order: they sort by age, as those of the service do. */
export function orderId(caller: number, order: number): string {
  return `0190f0f0-0000-7${String(caller).padStart(3, '0')}-8000-${String(order).padStart(12, '0')}`
}

/** Starts PostgreSQL, and migrates the database by the service's bundle. `dist/` must be built. */
export async function surround(): Promise<Surroundings> {
  mkdirSync(folders.build, { recursive: true })
  const postgres = await startPostgres()
  const databaseUrl = postgres.url('bench')
  const cloudTasks = fork(fileURLToPath(new URL('./cloud-tasks.ts', import.meta.url)))
  try {
    const [port] = await once(cloudTasks, 'message')
    const oidc = await createOidc(() => issuer)
    const keysUrl = await serveKeys(oidc.keys)
    await query(postgres.url('postgres'), 'create database bench')
    const environment = {
      ...{ NODE_ENV: 'production', ENVIRONMENT: 'live', DATABASE_URL: databaseUrl, ...auth },
      OIDC_ISSUERS: issuer,
      OIDC_JWKS_URL: keysUrl,
      TASKS_QUEUE: 'projects/bench/locations/here/queues/bench',
      TASKS_INVOKER: 'nobody@example.com',
      TASKS_URL: 'http://localhost',
      CLOUD_TASKS_EMULATOR_HOST: `127.0.0.1:${port}`,
    }
    migrate(databaseUrl)
    return {
      ...{ postgres, databaseUrl, environment },
      callerOfCallbacks: () => oidc.bearer(environment.TASKS_URL, environment.TASKS_INVOKER),
      async stop() {
        cloudTasks.disconnect()
        await postgres.stop()
      },
    }
  } catch (error) {
    cloudTasks.kill()
    await postgres.stop()
    throw error
  }
}

/** Serves the keys of Google's tokens. It ends with this process. @returns the URL */
async function serveKeys(keys: object): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const server = createServer((_incoming, outgoing) =>
    outgoing.writeHead(200, headers).end(JSON.stringify(keys)),
  )
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/keys`
}

/** Applies the service's migrations to a database. */
export function migrate(databaseUrl: string): void {
  execFileSync(process.execPath, ['dist/migrate.js'], {
    cwd: folders.repository,
    env: { DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Empties the tables and fills them again: no section, and no contestant, finds rows that another one has left. */
export async function fill(databaseUrl: string): Promise<void> {
  await quiet(databaseUrl)
  await query(databaseUrl, 'truncate orders, runtime.tasks, runtime.idempotency_keys cascade')
  await query(
    databaseUrl,
    `insert into orders (id, owner, item, quantity)
     select ('0190f0f0-0000-7' || lpad(c::text, 3, '0') || '-8000-' || lpad(o::text, 12, '0'))::uuid,
       'caller-' || lpad(c::text, 2, '0'), 'Teapot', 2
     from generate_series(0, ${callers.length - 1}) c, generate_series(0, ${ordersPerCaller - 1}) o`,
  )
  await query(databaseUrl, 'vacuum analyze orders')
  await query(databaseUrl, 'vacuum analyze runtime.tasks')
}

/** Waits until no connection has done anything for a while: requests may still run when their load has ended. */
async function quiet(databaseUrl: string): Promise<void> {
  const busy = `select count(*)::int as busy from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
      and (state <> 'idle' or state_change > now() - interval '200 milliseconds')`
  for (const giveUp = performance.now() + 20_000; performance.now() < giveUp; ) {
    const [row] = await query<{ busy: number }>(databaseUrl, busy)
    if (row?.busy === 0) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('A contestant was still at work 20 s after its load had ended')
}
