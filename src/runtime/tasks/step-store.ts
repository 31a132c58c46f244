import { and, desc, eq, isNotNull, isNull, or, type SQL, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../database/database.ts'
import { fromNow, now } from '../database/now.ts'
import { currentRevision } from './outbox.ts'
import type { Retry } from './retry.ts'
import { type StepKind, steps } from './steps-table.ts'
import { type TaskRow, tasks } from './table.ts'
import { type ClaimedRow, holdsLease } from './transitions.ts'

/** What is stored of a step, as an attempt needs it. */
export interface StoredStep {
  readonly name: string
  readonly kind: StepKind
  readonly result: unknown
  readonly cursor: unknown
  /** Whether it has succeeded; of a sleep or a wait, whether it is over. */
  readonly finished: boolean
  /** When a sleep ends, or a wait times out. */
  readonly until: Date | null
  /** Whether `until` has passed. */
  readonly late: boolean
  /** The size of its result, in bytes. */
  readonly bytes: number
  readonly undoable: boolean
  /** The round of undos in which its undo has ended, well or not. */
  readonly undoRound: number | null
}

/** What is written of a step. */
export interface StepWrite {
  readonly name: string
  readonly kind: StepKind
  /** For how long the attempt has worked on it, in milliseconds. */
  readonly tookMs: number
  readonly undoable?: boolean
}

/** Reads what the attempts before have stored of a task's steps, in the order in which they finished. */
export async function loadSteps(database: Database, { id, undone }: ClaimedRow): Promise<StoredStep[]> {
  const { name, kind, result, cursor, finishedAt, until, undoable, undoRound, undoneAt } = steps
  return database
    .select({
      ...{ name, kind, result, cursor, until, undoable, undoRound },
      // what this round has undone still counts, so that `run` comes to the steps behind it
      finished: sql<boolean>`coalesce(${finishedAt} <= ${now} and (${undoneAt} is null or ${undoRound} = ${undone}), false)`,
      late: sql<boolean>`coalesce(${until} <= ${now}, false)`,
      bytes: sql<number>`coalesce(octet_length(${result}::text), 0)`,
    })
    .from(steps)
    .where(eq(steps.taskId, id))
    .orderBy(finishedAt, steps.position)
}

/** How often the step at which a task is may be tried, if the step says so; else 0. */
export async function findMaxTries(database: Database, taskId: string): Promise<number> {
  const [found] = await database
    .select({ most: sql<number | null>`max(${steps.maxTries})` })
    .from(steps)
    .where(and(eq(steps.taskId, taskId), isNull(steps.finishedAt)))
  return found?.most ?? 0
}

/**
 * Which undos of a task have failed for good, and why, in the order in which they were tried.
 *
 * @param givenUp why nothing tries the others any more: they follow then
 */
export async function findFailedUndos(
  database: Pick<Database, 'select'>,
  { id, undone }: Pick<TaskRow, 'id' | 'undone'>,
  givenUp?: string,
): Promise<string[]> {
  const { name, undoable, undoError, undoRound, undoneAt, finishedAt, position } = steps
  const hasFailed = and(eq(undoRound, undone), isNotNull(undoError))
  const isLeft = sql<boolean>`(${undoable} and ${finishedAt} is not null and ${undoneAt} is null and ${undoRound} is distinct from ${undone})`
  const found = await database
    .select({ name, undoError, isLeft })
    .from(steps)
    .where(and(eq(steps.taskId, id), givenUp === undefined ? hasFailed : or(hasFailed, isLeft)))
    .orderBy(desc(finishedAt), desc(position))
  return found.map((step) => {
    const whys = [step.undoError, step.isLeft && `given up: ${givenUp}`]
    return `${step.name} (${whys.filter(Boolean).join('; ')})`
  })
}

/** Locks the row of a task. @returns false if the lease was lost: nothing may be written then */
export async function lockHeld(tx: Transaction, row: ClaimedRow): Promise<boolean> {
  const { rowCount } = await tx.execute(
    sql`select id from ${tasks} where ${holdsLease(row)} for no key update`,
  )
  return rowCount === 1
}

/** Stores the result of a step. The task gets all its attempts back. @returns false if the lease was lost */
export async function finishStep(
  database: Database | Transaction,
  row: ClaimedRow,
  step: StepWrite,
  json: string | undefined,
): Promise<boolean> {
  const { rowCount } = await writeStep(database, row, step, {
    row: sql`result, tries, finished_at`,
    values: sql`${json ?? null}::jsonb, 1, ${now}`,
    changes: sql`result = excluded.result, tries = old.tries + 1, finished_at = excluded.finished_at,
      cursor = null, max_tries = null, last_error = null, undone_at = null, undo_error = null, undo_round = null`,
    isProgress: true,
  })
  return rowCount === 1
}

/** Stores how far a step has come. @returns false if the lease was lost */
export async function saveCursor(
  database: Database | Transaction,
  row: ClaimedRow,
  step: StepWrite & { readonly isProgress: boolean },
  json: string,
): Promise<boolean> {
  const { rowCount } = await writeStep(database, row, step, {
    row: sql`cursor`,
    values: sql`${json}::jsonb`,
    changes: sql`cursor = excluded.cursor`,
    isProgress: step.isProgress,
  })
  return rowCount === 1
}

/** Records that a step has failed. @returns false if the lease was lost */
export async function recordFailedTry(
  database: Database,
  row: ClaimedRow,
  step: StepWrite & { readonly retry: Retry | undefined },
  error: string,
): Promise<boolean> {
  const { rowCount } = await writeStep(database, row, step, {
    row: sql`tries, max_tries, last_error`,
    values: sql`1, ${step.retry?.attempts ?? null}::int, ${error}`,
    changes: sql`tries = old.tries + 1, max_tries = excluded.max_tries, last_error = excluded.last_error`,
    isProgress: false,
  })
  return rowCount === 1
}

interface Change {
  /** The columns of a new row, beside those that all have, and their values. */
  readonly row: SQL
  readonly values: SQL
  readonly from?: SQL
  /** What changes in a row that is there. */
  readonly changes: SQL
  readonly returning?: SQL
  /** Whether the task has come further since its last failure: it gets all its attempts back then. */
  readonly isProgress: boolean
}

/** Writes a row of `steps` in one statement that locks the task's row first, and writes nothing if the lease was lost. */
export async function writeStep(
  database: Database | Transaction,
  row: ClaimedRow,
  { name, kind, tookMs, undoable = false }: StepWrite,
  { row: columns, values, from = sql``, changes, returning = sql``, isProgress }: Change,
) {
  const isReset = isProgress && row.attempts > 1
  const held = isReset
    ? sql`update ${tasks} set attempts = 1 where ${holdsLease(row)} returning id`
    : sql`select id from ${tasks} where ${holdsLease(row)} for no key update`
  const result = await database.execute<Record<string, unknown>>(sql`
    with held as (${held})
    insert into ${steps} as old (task_id, name, kind, started_at, undoable, revision, ${columns})
    select held.id, ${name}, ${kind}, ${fromNow(-Math.round(tookMs))}, ${undoable}::boolean,
      ${currentRevision() ?? null}, ${values}
    from held ${from}
    on conflict (task_id, name) do update
      set undoable = excluded.undoable, revision = excluded.revision, ${changes} ${returning}`)
  if (isReset) row.attempts = 1 // as the database has it now
  return result
}
