import { and, eq, getTableColumns, inArray, isNotNull, isNull, lt, type SQL, sql } from 'drizzle-orm'
import { unionAll } from 'drizzle-orm/pg-core'
import type { Database, Transaction } from '../database/database.ts'
import { now } from '../database/now.ts'
import { defineSort, type SortPosition } from '../database/sort.ts'
import { afterCommit } from '../database/transaction.ts'
import type { BatchCounts } from './batch-counts.ts'
import { type BatchRow, batchCounts, batches } from './batch-table.ts'
import { cancelledColumns } from './cancel.ts'
import { handOverMore } from './hand-over.ts'
import { stateIs, tasks } from './table.ts'

/** A batch, and how its tasks have ended so far. */
export interface Batch extends BatchCounts, Pick<BatchRow, 'cancelledAt' | 'finishedAt'> {}

/** A batch with all its columns, as operators see it. */
export type FullBatch = BatchRow & Batch

/**
 * Reads how far a batch is. Its row is deleted `TASKS_KEEP` after its last task ended.
 *
 * @param database the database, a transaction, or the `database` of a task
 * @returns `undefined` if there is no such batch (any more)
 * @example
 * const batch = await findBatch(database, '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f')
 * const share = batch && (batch.done + batch.dead + batch.cancelled) / batch.size
 */
export function findBatch(database: Pick<Database, 'select'>, id: string): Promise<Batch | undefined> {
  return findFullBatch(database, id)
}

/** Finds a batch with all its columns. */
export async function findFullBatch(
  database: Pick<Database, 'select'>,
  id: string,
): Promise<FullBatch | undefined> {
  const [found] = await selectBatches(database).where(eq(batches.id, id))
  return found
}

/** Those that are open come first, the newest first; then the others, the last to end first. */
export const byEnd = defineSort(batches, { finishedAt: 'desc', id: 'desc' })

/** Lists the batches after a position, in the order of `byEnd`. */
export async function listBatches(
  database: Pick<Database, 'select'>,
  { limit, cursor }: { limit: number; cursor?: SortPosition | undefined },
): Promise<FullBatch[]> {
  const page = (where: SQL | undefined) =>
    selectBatches(database)
      .where(where)
      .orderBy(...byEnd.orderBy)
      .limit(limit)
  if (cursor?.[0] !== null) return page(byEnd.after(cursor))
  // after an open one: two ranges of the index. With one condition for both, it would read all open ones before it
  const open = page(and(isNull(batches.finishedAt), lt(batches.id, String(cursor[1]))))
  return unionAll(open, page(isNotNull(batches.finishedAt)))
    .orderBy(...byEnd.orderBy)
    .limit(limit)
}

/**
 * Cancels the tasks of a batch whose attempts have not started, in the caller's transaction. Those that have started end as
 * they do. The batch ends, and its final task is enqueued, when all of them have ended. Call it at the end of the transaction:
 * until it commits, no task of the batch can end.
 *
 * @returns how many tasks were cancelled
 * @example
 * const count = await cancelBatch(tx, '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f')
 */
export async function cancelBatch(tx: Transaction, id: string): Promise<number> {
  return cancelTasksOf(tx, id, { started: false })
}

/**
 * Cancels tasks of a batch. It locks the tasks first, then their counters, then the batch: in the order in which the end of a
 * task locks them.
 *
 * @param which.started also those that have started, and those that run
 * @param which.limit how many at most
 */
export async function cancelTasksOf(
  tx: Transaction,
  id: string,
  which: { started: boolean; limit?: number },
): Promise<number> {
  const open = tx
    .select({ id: tasks.id })
    .from(tasks)
    .where(
      and(
        eq(tasks.batchId, id),
        stateIs('pending', 'queued', 'running'),
        sql`${tasks.undoing} is null`, // a second cancel would end it without its undos
        which.started ? undefined : sql`${tasks.startedAt} is null`,
      ),
    )
    .orderBy(tasks.id)
    .for('update')
  const { rowCount } = await tx
    .update(tasks)
    .set(cancelledColumns)
    .where(sql`${tasks.id} = any(array${which.limit ? open.limit(which.limit) : open})`)
  await lockCounts(tx, [id])
  await tx
    .update(batches)
    .set({ cancelledAt: sql`coalesce(${batches.cancelledAt}, ${now})` })
    .where(and(eq(batches.id, id), sql`${batches.finishedAt} is null`))
  afterCommit(tx, () => handOverMore({ batchId: id }))
  return rowCount ?? 0
}

/**
 * Locks the counters of batches, then the batches. Call it in a transaction that ends or redrives several of their tasks, after
 * their rows are locked. The trigger would lock them in the order of the tasks, and two such transactions could wait for each other.
 */
export async function lockCounts(tx: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const { batchId, slot } = batchCounts
  const which = [...new Set(ids)]
  await tx.select().from(batchCounts).where(inArray(batchId, which)).orderBy(batchId, slot).for('update')
  await tx.select().from(batches).where(inArray(batches.id, which)).orderBy(batches.id).for('update')
}

function selectBatches(database: Pick<Database, 'select'>) {
  const sum = (column: 'done' | 'dead' | 'cancelled') =>
    sql<number>`(select coalesce(sum(${sql.identifier(column)}), 0)::int from ${batchCounts} where batch_id = ${batches}.id)`
  return database
    .select({
      ...getTableColumns(batches),
      ...{ done: sum('done'), dead: sum('dead'), cancelled: sum('cancelled') },
    })
    .from(batches)
}
