import { sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { fromNow, now } from '../database/now.ts'
import type { Log } from '../log/logger.ts'
import { literal, setAside, stateIs, tasks, woken } from './table.ts'

/** How long a task may be due, and not run, before the tick warns. */
const lateMs = 600_000
/** Which share of the database's connections may be open before the tick warns. */
const maxShare = 0.8

type Found = { name: string | null; late: number | null; used: number; limit: number }

/**
 * Warns, once per tick, of a task that has been due for ten minutes and does not run, and of a database that has few free
 * connections. The alerts `tasks-late` and `connections` of deploy/monitoring read these lines.
 *
 * A task that is set aside by its limit is not late: it waits for others, as it should. One that was woken is late ten minutes after
 * that. One that waits for its rate is due later.
 *
 * It reads two index entries, and the rows of those that were woken just now. The connections are those of all clients, also of
 * other services.
 */
export async function warnOfBacklog(database: Database, log: Log): Promise<void> {
  const before = fromNow(-lateMs)
  const isHeldUp = sql`limit_slot is distinct from ${literal(setAside)}
    and (limit_slot is distinct from ${woken} or touched_at < ${before})`
  const { rows } = await database.execute<Found>(sql`
    with late as (
      (select name, due_at from ${tasks} where ${stateIs('pending')} and due_at < ${before} and ${isHeldUp} order by due_at limit 1)
      union all
      (select name, due_at from ${tasks} where ${stateIs('queued')} and touched_at < ${before} order by touched_at limit 1)
    ), oldest as (select name, due_at from late order by due_at limit 1)
    select
      (select name from oldest) as name,
      (select extract(epoch from ${now} - due_at)::int from oldest) as late,
      (select sum(numbackends)::int from pg_stat_database) as used,
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true), '0')::int as limit`)
  const { name, late, used = 0, limit = 0 } = rows[0] ?? {}
  if (late)
    log.warn(
      { code: 'RUNTIME_TASKS_LATE', task: { name }, lateSeconds: late },
      `A task ${name} has been due for ${Math.round(late / 60)} min, and has not run`,
    )
  if (used >= maxShare * limit)
    log.warn(
      { code: 'RUNTIME_CONNECTIONS_SCARCE', connections: { used, limit } },
      `${used} of the ${limit} connections to the database are open`,
    )
}
