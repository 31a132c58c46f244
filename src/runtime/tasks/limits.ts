import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { now } from '../database/now.ts'
import { findDatabaseError } from '../kernel/database-error.ts'
import { type DeliveryRow, deliveryColumns } from './delivery.ts'
import type { Limit } from './limit-options.ts'
import { isAmong, literal, setAside, stateIs, tasks, woken } from './table.ts'
import { type ClaimedRow, holdsLease } from './transitions.ts'

/** Tasks that are limited together. */
export interface LimitGroup extends Pick<Limit, 'concurrency' | 'ordered'> {
  readonly name: string
  readonly key: string
}

const unfinished = sql`state in ('pending', 'queued', 'running')`
/** Whether a task is set aside, as the index `tasks_set_aside` has it. */
export const isWaiting: SQL = sql`state = 'pending' and limit_slot = ${literal(setAside)}`
/** No id comes after it. */
const lastId = sql.raw("'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid")

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
  { name, key, concurrency, ordered }: LimitGroup,
  limit: number,
): Promise<DeliveryRow[]> {
  const group = sql`(select ${name}::text as name, ${key}::text as limit_key, ${concurrency}::int as concurrency, ${ordered}::boolean as ordered)`
  return wake(database, group, limit, now).returning(deliveryColumns)
}

/**
 * Wakes tasks of keys that have free places, key by key. For each key it reads those that have a place, those that were woken, and
 * those that it wakes: not those that wait.
 *
 * @param groups a relation of name, limit_key, concurrency and ordered
 */
export function wake(database: Database, groups: SQL, limit: number, touchedAt: SQL) {
  const inGroup = sql`name = groups.name and limit_key = groups.limit_key`
  const running = sql`(select count(*)::int from ${tasks} where ${inGroup} and state = 'running' and limit_slot > 0)`
  const kept = sql`(select count(*)::int from ${tasks}
    where ${inGroup} and state in ('pending', 'queued') and limit_slot = ${literal(woken)})`
  // of an ordered key only the first may run
  const isFirst = sql`(case when groups.ordered then (select id from ${tasks} as first
    where ${inGroup} and limit_key is not null and ${unfinished} order by id limit 1) else ${lastId} end)`
  const found = sql`(select next.id from ${groups} as groups cross join lateral (
      select id from ${tasks} as waiting
      where ${inGroup} and ${isWaiting} and id <= ${isFirst}
      order by id limit greatest(0, groups.concurrency - ${running} - ${kept}) for update skip locked
    ) as next limit ${limit})`
  return database
    .update(tasks)
    .set({ limitSlot: woken, touchedAt })
    .where(sql`${isAmong(found)} and ${stateIs('pending')} and ${tasks.limitSlot} = ${setAside}`)
}
