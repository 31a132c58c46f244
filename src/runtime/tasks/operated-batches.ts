import { eq, inArray, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { batches } from './batch-table.ts'
import type { FullBatch } from './batches.ts'
import { type TaskState, tasks } from './table.ts'

/** A batch as operators see it: also how many of its tasks run, and what has become of its final task. */
export interface OperatedBatch extends FullBatch {
  readonly running: number
  /** `null` if the final task is not enqueued yet, or is deleted. */
  readonly finalState: TaskState | null
}

/** Adds to batches what their tasks do now, by one statement. It reads the entries of those that run, not of those that wait. */
export async function withWork(
  database: Pick<Database, 'select'>,
  found: readonly FullBatch[],
): Promise<OperatedBatch[]> {
  if (found.length === 0) return []
  const running = sql<number>`(select count(*)::int from ${tasks} as task
    where task.batch_id = ${batches}.id and task.state = 'running')`
  const work = await database
    .select({ id: batches.id, running, finalState: tasks.state })
    .from(batches)
    .leftJoin(tasks, eq(tasks.id, batches.finalId))
    .where(
      inArray(
        batches.id,
        found.map(({ id }) => id),
      ),
    )
  const byId = new Map(work.map((one) => [one.id, one]))
  return found.map((batch) => {
    const { running = 0, finalState = null } = byId.get(batch.id) ?? {}
    return { ...batch, running, finalState }
  })
}
