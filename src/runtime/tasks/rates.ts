import { sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { now } from '../database/now.ts'
import type { Rate } from './limit-options.ts'
import { rates } from './rate-table.ts'

/**
 * Counts a start, if the rate allows one now. The row keeps the last starts, as many as a period may have, so no period of
 * this length ever has more, wherever it begins. Its lock lets one ask after the other.
 *
 * @returns `undefined` if the attempt may start. Else when to ask again: those who wait are due one after the other, as far
 *   apart as the rate has them
 */
export async function askToStart(
  database: Database,
  { name, key, tasks, perMs }: Pick<Rate, 'tasks' | 'perMs'> & { name: string; key: string },
): Promise<Date | undefined> {
  const per = sql`${perMs} * interval '1 millisecond'`
  const apart = sql`${perMs / tasks} * interval '1 millisecond'`
  const count = sql`cardinality(old.starts)`
  const oldest = sql`old.starts[${count} - ${tasks}::int + 1]`
  const isFree = sql`(${count} < ${tasks} or ${oldest} <= ${now} - ${per})`
  const due = sql`greatest(old.last_due + ${apart}, ${oldest} + ${per})`
  const { rows } = await database.execute<{ due: string | null }>(sql`
    insert into ${rates} as old (name, key, starts, last_due, due, expires_at)
    values (${name}, ${key}, array[${now}], ${now}, null, ${now} + ${per})
    on conflict (name, key) do update set
      starts = case when ${isFree} then
        (old.starts || greatest(${now}, old.starts[${count}]))[greatest(1, ${count} + 2 - ${tasks}::int):]
        else old.starts end,
      last_due = case when ${isFree} then old.last_due else ${due} end,
      due = case when ${isFree} then null else ${due} end,
      expires_at = greatest(${now}, case when ${isFree} then old.last_due else ${due} end) + ${per}
    returning due`)
  const [row] = rows
  return row?.due ? new Date(row.due) : undefined
}
