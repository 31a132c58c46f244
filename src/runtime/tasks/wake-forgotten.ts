import { eq, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { fromNow } from '../database/now.ts'
import { isWaiting, wake } from './limits.ts'
import { positions } from './position-table.ts'
import { tasks } from './table.ts'
import type { Task } from './task.ts'

/** How many keys one statement looks at, and how many tasks one statement wakes. */
const batchSize = 1_000
/** How often a tick does that. With more keys or tasks, the next tick goes on. */
const maxBatches = 10

/** Name and key of tasks that are limited together. */
type Group = { name: string; limit_key: string }

type Known = ReadonlyMap<string, Pick<Task, 'limit'>>

const sweep = 'limits'
/** `touched_at` of a task that this tick is to send. */
const longAgo = fromNow(-60_000)
/** The limit of a task that no longer has one. */
const unlimited = 2_147_483_647

/**
 * Wakes tasks whose keys have free places: those that should have woken them were killed or cancelled. The same tick sends them.
 *
 * A tick looks at 10,000 keys at most, and wakes 10,000 tasks at most. The next tick starts with the first key that is left, so each
 * has its turn. The cost does not depend on how many tasks wait for a place.
 *
 * @param known the tasks of this revision. Those that no longer have a limit are all woken. Of those that it does not know, it
 *   wakes one of each key: another revision runs it or sets it aside once more, and if there is none, the task is dead in the end
 * @returns how many
 */
export async function wakeForgotten(
  database: Database,
  known: Known,
  hasTimeLeft: () => boolean,
): Promise<number> {
  const [stored] = await database.select().from(positions).where(eq(positions.sweep, sweep))
  let from: Group | undefined = stored && { name: stored.name, limit_key: stored.key }
  let count = 0
  for (let batch = 0; batch < maxBatches; batch++) {
    const groups = await findGroups(database, from)
    const woken = await wakeOf(database, known, groups.slice(0, batchSize))
    count += woken.length
    from = woken.length === batchSize ? lastOf(groups, woken) : groups[batchSize]
    if (!from || !hasTimeLeft()) break
  }
  if (from) await writePosition(database, from)
  else if (stored) await database.delete(positions).where(eq(positions.sweep, sweep))
  return count
}

/**
 * Finds the next keys of tasks that are set aside, and one more. It jumps from key to key in the index.
 *
 * @see https://wiki.postgresql.org/wiki/Loose_indexscan
 */
async function findGroups(database: Database, from: Group = { name: '', limit_key: '' }): Promise<Group[]> {
  const waiting = sql`select name, limit_key from ${tasks} where ${isWaiting}`
  const { rows } = await database.execute<Group>(sql`
    with recursive groups as (
      (select *, 0 as n from (${waiting} and (name, limit_key) >= (${from.name}, ${from.limit_key})
        order by name, limit_key limit 1) as first)
      union all
      select next.*, n + 1 from groups cross join lateral (
        ${waiting} and (name, limit_key) > (groups.name, groups.limit_key) order by name, limit_key limit 1) as next
      where n < ${batchSize}
    )
    select name, limit_key from groups order by n`)
  return rows
}

/** Wakes tasks of these keys, those of the first keys first. */
async function wakeOf(database: Database, known: Known, groups: readonly Group[]): Promise<Group[]> {
  if (groups.length === 0) return []
  const limits = groups.map(({ name }) => {
    const task = known.get(name)
    if (!task) return { concurrency: 1, ordered: false }
    return task.limit ?? { concurrency: unlimited, ordered: false }
  })
  const of = (values: unknown[]) => sql.param(values)
  const relation = sql`(select * from unnest(
    ${of(groups.map(({ name }) => name))}::text[], ${of(groups.map((group) => group.limit_key))}::text[],
    ${of(limits.map(({ concurrency }) => concurrency))}::int[], ${of(limits.map(({ ordered }) => ordered))}::boolean[]
  ) with ordinality as given (name, limit_key, concurrency, ordered, n) order by n)`
  const woken = await wake(database, relation, batchSize, longAgo).returning({
    name: tasks.name,
    limit_key: tasks.limitKey,
  })
  return woken as Group[]
}

/** The last one of these groups of which tasks were woken: it may have more. */
function lastOf(groups: readonly Group[], woken: readonly Group[]): Group | undefined {
  const keys = new Set(woken.map((group) => JSON.stringify([group.name, group.limit_key])))
  return groups.findLast(({ name, limit_key }) => keys.has(JSON.stringify([name, limit_key])))
}

async function writePosition(database: Database, { name, limit_key: key }: Group): Promise<void> {
  await database
    .insert(positions)
    .values({ sweep, name, key })
    .onConflictDoUpdate({ target: positions.sweep, set: { name, key } })
}
