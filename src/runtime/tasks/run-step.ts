import type { z } from 'zod'
import type { Database, Transaction } from '../database/database.ts'
import { inSpan } from '../kernel/in-span.ts'
import { payloadProblem } from './payload-checks.ts'
import { parseRetry } from './retry.ts'
import type { StepScope } from './step-scope.ts'
import { finishStep, lockHeld, type StepWrite, type StoredStep, saveCursor } from './step-store.ts'
import type { StepEffect, StepOptions, StepRun } from './step-types.ts'
import type { StepKind } from './steps-table.ts'

/** A step as `run` states it. `schema` is absent if it returns nothing. */
export interface StatedStep {
  readonly name: string
  readonly kind: StepKind
  readonly schema: z.ZodType | undefined
  readonly work: (run: StepRun<unknown>) => Promise<unknown>
  readonly signal: AbortSignal
  readonly options: StepOptions<unknown, z.ZodType>
}

const ifNoResult = 'Write .nullable() and return null, or leave the schema out if there is never a result'

/**
 * Runs a step, or returns what it has returned in an earlier attempt. All that it writes is written only as long as the
 * attempt has the task.
 *
 * @throws what its work throws; `LeaseLostError`; `NotUnderstoodError` if what is stored is not what this revision takes
 */
export async function runStep(
  scope: StepScope,
  step: StatedStep,
  known: StoredStep | undefined,
): Promise<unknown> {
  const { name, kind, schema, work, signal, options } = step
  const { task, row, log, database } = scope.options
  if (known?.finished) {
    const result = schema && scope.decode(name, schema, known.result)
    if (options.undo) scope.undos.set(name, { undo: options.undo, result })
    return result
  }
  const what = `The task ${task.name}, step ${name}`
  const problem =
    (schema && payloadProblem(schema, 'its result', ifNoResult)) ??
    (options.cursor && payloadProblem(options.cursor, 'its cursor', 'Write .nullable(), and save null'))
  if (problem) throw scope.refusal(name, problem)
  const retry = options.retry && parseRetry(what, options.retry, task.retry)
  const started = performance.now()
  const write = (): StepWrite => ({
    ...{ name, kind, tookMs: performance.now() - started },
    undoable: options.undo !== undefined,
  })

  /** Does the writes of an effect, and then `store` with what it returned, in one transaction. */
  async function writeHeld(
    effect: StepEffect | undefined,
    store: (db: Database | Transaction, result: unknown) => Promise<boolean>,
  ): Promise<void> {
    if (effect)
      return database.transaction(async (tx) => {
        if (!(await lockHeld(tx, row))) throw scope.lost()
        if (!(await store(tx, await effect(tx)))) throw scope.lost()
      })
    if (!(await store(database, undefined))) throw scope.lost()
  }

  let saved = JSON.stringify(known?.cursor ?? null)
  async function save(cursor: unknown, effect?: StepEffect): Promise<void> {
    if (!scope.isRunning(name)) throw scope.refusal(name, 'save was called after the step had ended.')
    if (!options.cursor)
      throw scope.refusal(name, 'save needs the option cursor: the schema of what it stores.')
    const { json } = scope.encode(name, 'cursor', options.cursor, cursor)
    await writeHeld(effect, (db) => saveCursor(db, row, { ...write(), isProgress: json !== saved }, json))
    saved = json
  }

  try {
    const stored = known?.cursor ?? undefined
    const cursor =
      stored === undefined || !options.cursor ? undefined : scope.decode(name, options.cursor, stored)
    const run = { signal, idempotencyKey: stepKey(row, name), cursor, save }
    const returned = await inSpan(`${kind} ${name}`, 'internal', {}, () => work(run))
    const isEffect = typeof returned === 'function'
    let result: { json: string; value: unknown } | undefined
    await writeHeld(isEffect ? (returned as StepEffect) : undefined, (db, written) => {
      if (schema) result = scope.encode(name, 'result', schema, isEffect ? written : returned)
      return finishStep(db, row, write(), result?.json)
    })
    scope.stored(result?.json)
    const tookMs = Math.round(performance.now() - started)
    log.info({ step: { name, tookMs } }, `${task.name}: the step ${name} is done after ${tookMs} ms`)
    return result?.value
  } catch (error) {
    scope.failed = { name, kind, retry, tookMs: performance.now() - started }
    throw error
  }
}

/** The idempotency key of a step. A step that runs again after its undo is another one for those who are called. */
function stepKey({ id, undone }: { id: string; undone: number }, name: string): string {
  return undone === 0 ? `${id}:${name}` : `${id}:${name}:${undone}`
}
