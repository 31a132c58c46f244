import type pg from 'pg'
import { waitAtMost } from '../kernel/wait-at-most.ts'
import type { DatabaseTimeouts } from './timeouts.ts'

/**
 * Finds out whether a new connection leads to the server itself or to a pooler such as PgBouncer, and sets the timeouts
 * of the session if it is the server.
 *
 * The server reports its own process id when a connection starts; a pooler reports another. A pooler may send each
 * transaction to another server connection. So session settings and prepared statements do not last there, and
 * start-up parameters are refused.
 *
 * @returns whether the connection leads to the server itself
 * @throws PostgreSQL's error, or an error if PostgreSQL does not respond within `connectMs`
 */
export async function prepareConnection(client: pg.PoolClient, timeouts: DatabaseTimeouts): Promise<boolean> {
  const { processID } = client as pg.PoolClient & { readonly processID?: number }
  const same = `pg_backend_pid() = ${Number(processID ?? 0)}`
  const set = Object.entries(serverTimeouts(timeouts)).map(
    ([name, value]) => `set_config('${name}', '${value}', false)`,
  )
  const asked = client.query(`select ${same} as direct, case when ${same} then array[${set}] end`)
  if (!(await waitAtMost(timeouts.connectMs, asked)))
    throw new Error('The database accepted a connection and did not respond')
  const { rows } = await asked
  return rows[0]?.direct === true
}

/** The BEGIN statement. Behind a pooler it sets the timeouts too, since the session cannot hold them. */
export function beginStatement(modes: string, direct: boolean, timeouts: DatabaseTimeouts): string {
  const begin = `begin ${modes}`.trimEnd()
  if (direct) return begin
  const set = Object.entries(serverTimeouts(timeouts)).map(([name, value]) => `set local ${name} = ${value}`)
  return [begin, ...set].join('; ')
}

/** The server's timeout settings, in milliseconds. */
function serverTimeouts({ statementMs, lockMs }: DatabaseTimeouts) {
  return {
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: statementMs,
  }
}
