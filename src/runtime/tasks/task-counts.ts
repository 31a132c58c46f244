import { sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { now } from '../database/now.ts'
import { stateIs, type TaskState, tasks } from './table.ts'

/** How many tasks are counted in all. Each pair of name and state has an equal part: 1,000 at least, 10,000 at most. */
const countBudget = 30_000
/** How many finished tasks of one minute are read. Beyond that, the minute is estimated. */
const sampleSize = 100
const minutes = 60

/** The tasks of a name in a state. */
export interface StateCount {
  readonly name: string
  readonly state: Exclude<TaskState, 'done'>
  readonly count: number
  /** Whether there are more than `count`: see `countStates`. */
  readonly more: boolean
  /** When the first of them was due. */
  readonly oldestDueAt: Date
}

/** What has finished in a time. `failedAttempts` are those of the tasks that are done or dead since. */
export interface Finished {
  done: number
  dead: number
  failedAttempts: number
}

/** What the last hour has finished. */
export interface LastHour {
  readonly byName: ReadonlyMap<string, Finished>
  /** The first minute first. */
  readonly byMinute: readonly Finished[]
  /** Whether a minute was estimated. */
  readonly estimated: boolean
}

type CountRow = Omit<StateCount, 'oldestDueAt'> & { oldest: string }

/**
 * Counts the tasks that are not done, by state and name. It finds each pair by one look into the index, and counts
 * 10,000 of it at most, or fewer if there are many pairs: the cost does not depend on the number of tasks.
 *
 * @see https://wiki.postgresql.org/wiki/Loose_indexscan
 */
export async function countStates(database: Database): Promise<StateCount[]> {
  const pairs = sql`select state, name from ${tasks} where state <> 'done'`
  const { rows } = await database.execute<CountRow>(sql`
    with recursive pairs as (
      (${pairs} order by state, name limit 1)
      union all
      select next.state, next.name from pairs cross join lateral
        (${pairs} and (state, name) > (pairs.state, pairs.name) order by state, name limit 1) as next
    ), most as (
      select least(10000, greatest(1000, ${countBudget}::int / greatest(1, count(*))))::int as count from pairs
    )
    select pairs.state, pairs.name, counted.oldest, least(counted.count, most.count) as count,
      counted.count > most.count as more
    from most, pairs cross join lateral (
      select count(*)::int as count, min(due_at) as oldest from (
        select due_at from ${tasks} where state <> 'done' and state = pairs.state and name = pairs.name
        order by id limit (select count + 1 from most)
      ) as first
    ) as counted`)
  return rows.map(({ oldest, ...counted }) => ({ ...counted, oldestDueAt: new Date(oldest) }))
}

/** A part of a minute's tasks: those of one name. `seconds` is how much of the minute they span. */
type SampleRow = { ago: number; name: string; count: number; attempts: number; seconds: number }

/**
 * Counts what the last hour has finished. It reads 100 tasks of each minute and state at most. If a minute has more, it
 * extrapolates: what they span of the minute stands for the whole minute.
 */
export async function countLastHour(database: Database): Promise<LastHour> {
  const [done, dead] = await Promise.all([readSample(database, 'done'), readSample(database, 'dead')])
  const byName = new Map<string, Finished>()
  const byMinute = Array.from({ length: minutes }, nothing)
  const add = (rows: readonly SampleRow[], state: 'done' | 'dead') => {
    for (const { ago, name, count, attempts, scale } of scaled(rows)) {
      const ofName = byName.get(name) ?? nothing()
      byName.set(name, ofName)
      for (const finished of [ofName, byMinute[minutes - 1 - ago] ?? nothing()]) {
        finished[state] += Math.round(count * scale)
        finished.failedAttempts += Math.round((state === 'done' ? attempts - count : attempts) * scale)
      }
    }
  }
  add(done, 'done')
  add(dead, 'dead')
  return { byName, byMinute, estimated: [...scaled(done), ...scaled(dead)].some(({ scale }) => scale > 1) }
}

/** Nothing has finished. */
export function nothing(): Finished {
  return { done: 0, dead: 0, failedAttempts: 0 }
}

async function readSample(database: Database, state: 'done' | 'dead'): Promise<SampleRow[]> {
  const { rows } = await database.execute<SampleRow>(sql`
    select minute.ago, sample.name, count(*)::int as count, sum(sample.attempts)::int as attempts,
      extract(epoch from max(sample.finished_at) - minute.start)::float as seconds
    from (
      select ago, ${now} - (ago + 1) * interval '1 minute' as start from generate_series(0, ${minutes - 1}::int) as ago
    ) as minute cross join lateral (
      select name, attempts, finished_at from ${tasks}
      where ${stateIs(state)} and finished_at > minute.start and finished_at <= minute.start + interval '1 minute'
      order by finished_at limit ${sampleSize}
    ) as sample
    group by minute.ago, minute.start, sample.name`)
  return rows
}

/** Adds to each row how many times more tasks its minute has. */
function scaled(rows: readonly SampleRow[]): (SampleRow & { scale: number })[] {
  const ofMinute = Map.groupBy(rows, ({ ago }) => ago)
  return rows.map((row) => {
    const all = ofMinute.get(row.ago) ?? []
    const isFull = all.reduce((sum, { count }) => sum + count, 0) === sampleSize
    const seconds = Math.max(...all.map(({ seconds }) => seconds), 0.001)
    return { ...row, scale: isFull ? 60 / seconds : 1 }
  })
}
