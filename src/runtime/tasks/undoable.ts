import { type SQL, sql } from 'drizzle-orm'
import { steps } from './steps-table.ts'
import { tasks } from './table.ts'

/**
 * Whether a task has finished steps that can be undone, and are not. With `exists`, a plan for many tasks would read all
 * steps; a subquery with a limit is looked up by the index for each task.
 */
export const hasUndoable: SQL = sql`coalesce((select true from ${steps}
  where task_id = ${tasks.id} and undoable and finished_at is not null and undone_at is null limit 1), false)`
