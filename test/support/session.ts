import { execFileSync } from 'node:child_process'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { ours } from './database.ts'

const killOthers = `do $$ begin
  perform pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name <> '${ours}';
  loop
    perform pg_stat_clear_snapshot();
    exit when not exists (select from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and application_name <> '${ours}');
  end loop;
end $$`

/** Opens a connection of the test's own, such as one that holds a lock; it ends with the test. */
export async function openSession(url: string): Promise<pg.Client> {
  const session = new pg.Client({ connectionString: url })
  session.on('error', () => {}) // the test may have ended it
  await session.connect()
  onTestFinished(() => session.end())
  return session
}

/** Resolves when this many connections of the database wait for a lock. */
export async function lockWaits(url: string, count = 1): Promise<void> {
  const session = await openSession(url)
  const waiting = `select count(*)::int as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`
  for (;;) {
    const { rows } = await session.query<{ count: number }>(waiting)
    if ((rows[0]?.count ?? 0) >= count) return
  }
}

/** Ends the connections of the database, but those of `onServer`, and returns when they are gone. */
export async function killConnections(url: string): Promise<void> {
  const session = await openSession(url)
  await session.query(killOthers)
  await session.end() // meanwhile their other ends are told
}

/**
 * Ends these connections of the database while this process stands still, as on Cloud Run between requests:
 * it has not seen their end when the next request comes.
 */
export function killConnectionsUnseen(url: string): void {
  const program = `
    import pg from 'pg'
    const client = new pg.Client({ connectionString: process.argv[1] })
    await client.connect()
    await client.query(process.argv[2])
    await client.end()`
  execFileSync(process.execPath, ['--input-type=module', '--eval', program, url, killOthers])
}
