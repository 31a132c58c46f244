import { sql } from 'drizzle-orm'
import type { Database, Transaction } from '../database/database.ts'
import { now } from '../database/now.ts'
import { errorMessage } from '../log/error-fields.ts'
import type { StepScope } from './step-scope.ts'
import { lockHeld, type StoredStep } from './step-store.ts'
import type { StepEffect } from './step-types.ts'
import { steps } from './steps-table.ts'
import { tasks } from './table.ts'
import { FatalError } from './task-errors.ts'
import { type ClaimedRow, holdsLease } from './transitions.ts'

/**
 * Undoes the finished steps of a task, the last one first. First it calls `run`, up to the first step that is not finished:
 * so the code states its undos again. An undo that fails is tried as often as the task says. Then its failure is stored, and the next
 * one follows.
 *
 * @throws what an undo has thrown that is tried again; what `run` throws before all undos are known
 */
export async function undoSteps(
  scope: StepScope,
  run: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const { row, task, log } = scope.options
  const isLast = () => row.attempts >= task.retry.attempts
  const todo = await scope.stateUndos(run)
  const unknown = todo.filter(({ name, undoRound }) => undoRound !== row.undone && !scope.undos.has(name))
  const { runError } = scope
  if (unknown.length > 0 && runError && !(runError instanceof FatalError) && !isLast()) throw runError
  for (const step of todo) {
    if (step.undoRound === row.undone) continue
    try {
      await undoStep(scope, step, signal)
      log.info({ step: { name: step.name } }, `${task.name}: the step ${step.name} is undone`)
    } catch (error) {
      if (signal.aborted) throw error
      const isOver = isLast() || error instanceof FatalError || !scope.undos.has(step.name)
      if (!(await writeUndo(scope.options.database, row, step.name, errorMessage(error), isOver)))
        throw scope.lost()
      if (!isOver) throw error
    }
  }
}

async function undoStep(scope: StepScope, { name }: StoredStep, signal: AbortSignal): Promise<void> {
  const { database, row } = scope.options
  const known = scope.undos.get(name)
  if (!known) throw new Error('run did not come to it, so its undo is not known', { cause: scope.runError })
  const idempotencyKey = `${row.id}:${name}:undo${row.undone === 0 ? '' : `:${row.undone}`}`
  const effect = (await known.undo({ result: known.result, signal, idempotencyKey })) as
    | StepEffect
    | undefined
  if (typeof effect !== 'function') {
    if (!(await writeUndo(database, row, name))) throw scope.lost()
    return
  }
  await database.transaction(async (tx) => {
    if (!(await lockHeld(tx, row))) throw scope.lost()
    await effect(tx)
    if (!(await writeUndo(tx, row, name))) throw scope.lost()
  })
}

/**
 * Writes that a step is undone, or that its undo has failed. If it is over, the next undo gets all attempts.
 *
 * @returns false if the lease was lost
 */
async function writeUndo(
  database: Database | Transaction,
  row: ClaimedRow,
  name: string,
  error: string | null = null,
  isOver = true,
): Promise<boolean> {
  const isReset = isOver && row.attempts > 1
  const held = isReset
    ? sql`update ${tasks} set attempts = 1 where ${holdsLease(row)} returning id`
    : sql`select id from ${tasks} where ${holdsLease(row)} for no key update`
  const { rowCount } = await database.execute(sql`
    with held as (${held})
    update ${steps} set undo_tries = undo_tries + 1, undo_error = ${error},
      undo_round = case when ${isOver} then ${row.undone} else undo_round end,
      undone_at = ${error === null ? now : sql`null`}
    from held where task_id = held.id and name = ${name}`)
  if (isReset) row.attempts = 1 // as the database has it now
  return rowCount === 1
}
