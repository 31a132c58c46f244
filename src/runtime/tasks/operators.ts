import { and, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../database/database.ts'
import { now } from '../database/now.ts'
import { findDatabaseError } from '../kernel/database-error.ts'
import { Problem } from '../kernel/problem.ts'
import { lockCounts } from './batches.ts'
import { type DeliveryRow, deliveryColumns } from './delivery.ts'
import { taskProblems } from './routes.ts'
import { type StepRow, steps } from './steps-table.ts'
import { isAmong, stateIs, type TaskRow, tasks } from './table.ts'

/** How many tasks one request redrives at most. */
const redriveBatchSize = 1_000

/** Finds a task. @throws {Problem} RUNTIME_TASK_NOT_FOUND */
export async function findTask(database: Pick<Database, 'select'>, id: string): Promise<TaskRow> {
  const [row] = await database.select().from(tasks).where(eq(tasks.id, id))
  if (!row) throw new Problem(taskProblems.RUNTIME_TASK_NOT_FOUND)
  return row
}

/** A step as an operator sees it. */
export type ShownStep = Omit<
  StepRow,
  'taskId' | 'result' | 'cursor' | 'maxTries' | 'undoable' | 'undoTries' | 'undoRound' | 'position'
>

/** Finds the steps of a task, in the order in which they started. A sleep has no end before it is over. */
export function findSteps(database: Pick<Database, 'select'>, id: string): Promise<ShownStep[]> {
  const { name, kind, tries, lastError, startedAt, until, undoneAt, undoError, revision } = steps
  const over = sql`case when ${steps.finishedAt} <= ${now} then ${steps.finishedAt} end`
  return database
    .select({
      ...{ name, kind, tries, lastError, startedAt, until, undoneAt, undoError, revision },
      finishedAt: over.mapWith(steps.finishedAt),
    })
    .from(steps)
    .where(eq(steps.taskId, id))
    .orderBy(steps.position)
}

/**
 * Redrives a dead task: it gets all its attempts again, at a new dispatch.
 *
 * @param from `start` forgets its steps: all of it runs again
 * @returns its next delivery
 * @throws {Problem} RUNTIME_TASK_NOT_FOUND; RUNTIME_TASK_NOT_DEAD; RUNTIME_TASK_KEY_TAKEN
 */
export async function redriveTask(database: Database, id: string, from?: 'start'): Promise<DeliveryRow> {
  const [delivery] = await redrive(database, and(eq(tasks.id, id), isKeyFree(false)), from)
  if (delivery) return delivery
  const { state, key } = await findTask(database, id)
  if (state !== 'dead') throw new Problem(taskProblems.RUNTIME_TASK_NOT_DEAD, { detail: `It is ${state}.` })
  throw new Problem(taskProblems.RUNTIME_TASK_KEY_TAKEN, { detail: `The key: ${key}.` })
}

/**
 * Redrives the dead tasks of a name, the oldest first. Of several with the same key, it redrives the newest.
 *
 * @returns their next deliveries, and whether there may be more dead tasks
 */
export async function redriveTasks(database: Database, name: string) {
  const dead = database
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(stateIs('dead'), eq(tasks.name, name), isKeyFree(true)))
    .orderBy(tasks.id)
    .limit(redriveBatchSize)
    .for('update', { skipLocked: true })
  const deliveries = await redrive(database, isAmong(dead))
  return { deliveries, more: deliveries.length === redriveBatchSize }
}

/**
 * Runs a waiting task now: it is due at once, at a new dispatch, so that its earlier delivery is stale. A sleep ends; a wait
 * for a signal goes on.
 *
 * @returns its next delivery
 * @throws {Problem} RUNTIME_TASK_NOT_FOUND; RUNTIME_TASK_NOT_WAITING if it is not pending or queued
 */
export async function runTaskNow(database: Database, id: string): Promise<DeliveryRow> {
  const ended = database.$with('ended').as(
    database
      .update(steps)
      .set({ finishedAt: now })
      .where(and(eq(steps.taskId, id), eq(steps.kind, 'sleep'), gt(steps.finishedAt, now)))
      .returning({ id: steps.taskId }),
  )
  const [delivery] = await database
    .with(ended)
    .update(tasks)
    .set({
      state: 'pending',
      dispatch: sql`${tasks.dispatch} + 1`,
      dueAt: now,
      touchedAt: now,
      limitSlot: null,
    })
    .where(and(eq(tasks.id, id), stateIs('pending', 'queued')))
    .returning(deliveryColumns)
  if (delivery) return delivery
  const { state } = await findTask(database, id)
  throw new Problem(taskProblems.RUNTIME_TASK_NOT_WAITING, { detail: `It is ${state}.` })
}

/** Whether no unfinished task has the same key; with `newest`, also no newer dead task. */
function isKeyFree(newest: boolean): SQL {
  const dead = newest ? sql`or (other.state = 'dead' and other.id > ${tasks.id})` : sql``
  return sql`(${tasks.key} is null or not exists (
    select from ${tasks} as other where other.name = ${tasks.name} and other.key = ${tasks.key}
      and (other.state in ('pending', 'queued', 'running') ${dead})))`
}

/** Redrives tasks. If another task takes a key at the same time, the unique index refuses the UPDATE, and it retries. */
async function redrive(database: Database, which: SQL | undefined, from?: 'start'): Promise<DeliveryRow[]> {
  for (;;) {
    try {
      return await redriveOnce(database, which, from)
    } catch (error) {
      if (findDatabaseError(error)?.constraint !== 'tasks_key') throw error
    }
  }
}

/** It forgets steps and redrives in one transaction: no killed process leaves half of it. */
function redriveOnce(database: Database, which: SQL | undefined, from?: 'start'): Promise<DeliveryRow[]> {
  return database.transaction(async (tx) => {
    const redriven = await setPending(tx, which, from)
    await lockCounts(
      tx,
      redriven.flatMap(({ batchId }) => batchId ?? []),
    )
    return redriven
  })
}

function setPending(tx: Transaction, which: SQL | undefined, from?: 'start') {
  const dead = and(which, stateIs('dead'))
  const forgotten = tx
    .$with('forgotten')
    .as(
      tx
        .delete(steps)
        .where(sql`${steps.taskId} in (select ${tasks.id} from ${tasks} where ${dead})`)
        .returning({ id: steps.taskId }),
    )
  return (from ? tx.with(forgotten) : tx)
    .update(tasks)
    .set({
      state: 'pending',
      dispatch: sql`${tasks.dispatch} + 1`,
      attempts: 0,
      dueAt: now,
      touchedAt: now,
      unknownSince: null,
      finishedAt: null,
      announcedAt: null,
      undoing: null,
    })
    .where(dead)
    .returning({ ...deliveryColumns, batchId: tasks.batchId })
}
