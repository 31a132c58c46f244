import type pg from 'pg'
import { within } from '../kernel/within.ts'
import type { Limits } from './limits.ts'

/**
 * Learns what a new connection leads to, and bounds its statements where that holds. A server gives its own process id
 * when a connection begins; a pooler (PgBouncer and its like) gives another, and may lead each transaction to another
 * server connection: it takes no start-up parameters, and what is set on a session, or prepared by name, is lost or
 * meets others there.
 *
 * @returns whether the server itself is at the other end
 * @throws what PostgreSQL says, and where it says nothing
 */
export async function introduce(client: pg.PoolClient, limits: Limits): Promise<boolean> {
  const { processID } = client as pg.PoolClient & { readonly processID?: number }
  const same = `pg_backend_pid() = ${Number(processID ?? 0)}`
  const set = Object.entries(timeouts(limits)).map(
    ([name, value]) => `set_config('${name}', '${value}', false)`,
  )
  const asked = client.query(`select ${same} as direct, case when ${same} then array[${set}] end`)
  if (!(await within(limits.connectMs, asked)))
    throw new Error('The database took a connection and said nothing')
  const { rows } = await asked
  return rows[0]?.direct === true
}

/** BEGIN, with what bounds its statements where the session could not be told. */
export function beginText(modes: string, direct: boolean, limits: Limits): string {
  const begin = `begin ${modes}`.trimEnd()
  if (direct) return begin
  const set = Object.entries(timeouts(limits)).map(([name, value]) => `set local ${name} = ${value}`)
  return [begin, ...set].join('; ')
}

/** The server's settings, in milliseconds. */
function timeouts({ statementMs, lockMs }: Limits) {
  return {
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: statementMs,
  }
}
