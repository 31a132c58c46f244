import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { fromNow, now } from '../database/now.ts'
import { findDatabaseError } from '../kernel/database-error.ts'
import { type DeliveryRow, deliveryColumns } from './delivery.ts'
import type { Limit } from './limit-options.ts'
import { isAmong, setAside, stateIs, tasks, woken } from './table.ts'
import type { Task } from './task.ts'
import { type ClaimedRow, holdsLease } from './transitions.ts'

/** Tasks that are limited together. */
export interface LimitGroup extends Pick<Limit, 'concurrency' | 'ordered'> {
  readonly name: string
  readonly key: string
}

const unfinished = sql`state in ('pending', 'queued', 'running')`

/**
 * Gives a claimed task a free place of its key. A unique index keeps two tasks from having the same place: where both try,
 * one looks again.
 *
 * @returns false if no place is free, if an earlier task of an ordered key has not ended, or if the lease was lost
 */
export async function takePlace(database: Database, row: ClaimedRow, group: LimitGroup): Promise<boolean> {
  const { name, key, concurrency, ordered } = group
  const isFirst = ordered
    ? sql`and not exists (select from ${tasks} as earlier
        where name = ${name} and limit_key = ${key} and ${unfinished} and earlier.id < ${row.id})`
    : sql``
  for (;;) {
    try {
      const { rowCount } = await database.execute(sql`
        update ${tasks} set limit_key = ${key}, limit_slot = free.place from (
          select place from generate_series(1, ${concurrency}::int) as place
          where not exists (select from ${tasks} as other where name = ${name} and limit_key = ${key}
            and state = 'running' and limit_slot > 0 and limit_slot = place) ${isFirst}
          order by place limit 1
        ) as free where ${holdsLease(row)}`)
      return rowCount === 1
    } catch (error) {
      if (findDatabaseError(error)?.constraint !== 'tasks_limit_slots') throw error
    }
  }
}

/**
 * Wakes tasks of a key that were set aside: as many as the key has free places, the oldest first. A task that ends calls it
 * after its commit, and so does a task that was set aside. The later one of the two sees what the other has written.
 *
 * @returns their deliveries. For half a minute, no tick sends them
 */
export async function wakeTasks(
  database: Database,
  group: LimitGroup,
  limit: number,
): Promise<DeliveryRow[]> {
  return wake(database, group, sql`(select ${group.key}::text as limit_key)`, limit, now)
}

/**
 * Wakes tasks whose keys have free places: those that should have woken them were killed or cancelled. The same tick sends them.
 *
 * @param known the tasks of this revision. Those that no longer have a limit are all woken
 * @param limit how many of each name at most
 * @returns how many
 */
export async function wakeForgotten(
  database: Database,
  known: readonly Pick<Task, 'name' | 'limit'>[],
  limit: number,
): Promise<number> {
  const waiting = sql`limit_slot = ${setAside} and ${unfinished} and state = 'pending'`
  const unlimited = known.flatMap((task) => (task.limit ? [] : [task.name]))
  const freed = await database.execute(sql`update ${tasks} set limit_slot = null, touched_at = ${longAgo}
    where name = any(${sql.param(unlimited)}::text[]) and limit_key is not null and ${waiting}`)
  let count = freed.rowCount ?? 0
  for (const task of known) {
    if (!task.limit) continue
    const keys = sql`(select distinct limit_key from ${tasks} where name = ${task.name} and limit_key is not null and ${waiting})`
    count += (await wake(database, { name: task.name, ...task.limit }, keys, limit, longAgo)).length
  }
  return count
}

/** When a task was sent last, if this tick is to send it. */
const longAgo = fromNow(-60_000)

function wake(
  database: Database,
  { name, concurrency, ordered }: Omit<LimitGroup, 'key'>,
  keys: SQL,
  limit: number,
  touchedAt: SQL,
): Promise<DeliveryRow[]> {
  const group = sql`name = ${name} and limit_key = keys.limit_key and ${unfinished}`
  const taken = sql`(select count(*)::int from ${tasks} as taken where ${group} and limit_slot is not null
    and ((state = 'running' and limit_slot > 0) or (state <> 'running' and limit_slot = ${woken})))`
  // of an ordered key only the first may run
  const first = ordered
    ? sql`and id = (select id from ${tasks} as first where ${group} and limit_key is not null order by id limit 1)`
    : sql``
  const found = sql`(select next.id from ${keys} as keys cross join lateral (
      select id from ${tasks} as waiting
      where ${group} and limit_slot is not null and limit_slot = ${setAside} and state = 'pending' ${first}
      order by id limit greatest(0, ${concurrency}::int - ${taken}) for update skip locked
    ) as next limit ${limit})`
  return database
    .update(tasks)
    .set({ limitSlot: woken, touchedAt })
    .where(sql`${isAmong(found)} and ${stateIs('pending')} and ${tasks.limitSlot} = ${setAside}`)
    .returning(deliveryColumns)
}
