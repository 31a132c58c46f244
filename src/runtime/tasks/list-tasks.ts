import { and, desc, lt, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { batches } from './batch-table.ts'
import { isAmong, stateIs, type TaskRow, type TaskState, taskStates, tasks } from './table.ts'

/** Which tasks a page lists. */
interface TaskPage {
  limit: number
  cursor?: string | undefined
  state?: TaskState | undefined
  name?: string | undefined
  batch?: string | undefined
}

/**
 * Lists the tasks that are older than the cursor's, newest first. An index finds each page, however many others are newer:
 * PostgreSQL might look for its tasks among all of them otherwise, from the newest one on.
 */
export function listTasks(database: Database, page: TaskPage): Promise<TaskRow[]> {
  return database.select().from(tasks).where(isListed(page)).orderBy(desc(tasks.id)).limit(page.limit)
}

function isListed(page: TaskPage): SQL | undefined {
  const { cursor, state, name, batch } = page
  if (name || batch) return isAmong(newestOf(page))
  if (state === 'done') return isAmong(newestDone(page))
  return and(cursor ? lt(tasks.id, cursor) : undefined, state && stateIs(state))
}

/** The newest tasks of a name or of a batch, found state by state: for each there is an index that has them in their order. */
function newestOf(page: TaskPage): SQL {
  const { limit, state, name, batch } = page
  const [column, value] = batch ? [sql`batch_id`, sql`${batch}::uuid`] : [sql`name`, sql`${name}::text`]
  const found = (state ? [state] : taskStates).map((state) => newest(column, value, { ...page, state }))
  // all tasks of a batch have one name
  const isNamed =
    batch && name ? sql`exists (select from ${batches} where id = ${batch} and name = ${name})` : sql`true`
  return sql`(select id from (${sql.join(found, sql` union all `)}) as found where ${isNamed} order by id desc limit ${limit})`
}

/** The newest done tasks, found name by name: an index with all of them by age alone would cost each task a write. */
function newestDone(page: TaskPage): SQL {
  const name = sql`select name from ${tasks} where ${stateIs('done')}`
  return sql`(
    with recursive names as (
      (${name} order by name limit 1)
      union all
      select next.name from names cross join lateral (${name} and name > names.name order by name limit 1) as next
    )
    select done.id from names cross join lateral ${newest(sql`name`, sql`names.name`, { ...page, state: 'done' })} as done
    order by done.id desc limit ${page.limit})`
}

/**
 * The newest tasks of a state with this value. Most tasks are done, so PostgreSQL might look for these from the newest of all
 * tasks on. So it is asked for an order that only the index of the column has. With `=`, it would know that the value is always
 * the same, and that the order of the ids will do.
 */
function newest(column: SQL, value: SQL, page: TaskPage & { state: TaskState }): SQL {
  const { state, cursor, limit } = page
  const isOlder = cursor ? sql`and id < ${cursor}` : sql``
  const [isOf, order] =
    state === 'done'
      ? [sql`${column} = any(array[${value}])`, sql`${column} desc, id desc`]
      : [sql`${column} = ${value}`, sql`id desc`]
  return sql`(select id from ${tasks} where ${isOf} and ${stateIs(state)} ${isOlder} order by ${order} limit ${limit})`
}
