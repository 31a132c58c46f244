import type { Config } from '../config/config.ts'
import type { Database } from '../database/database.ts'
import type { Reader } from '../database/reader.ts'
import { causes } from '../kernel/causes.ts'
import { markEndOfRequest, runWithSignal } from '../kernel/context.ts'
import type { Log } from '../log/logger.ts'
import { LeaseLostError, startLeaseRenewal } from './lease.ts'
import type { StepScope } from './step-scope.ts'
import { createStepWords } from './steps.ts'
import type { Effect, Task } from './task.ts'
import { type ClaimedRow, markDone } from './transitions.ts'
import { undoSteps } from './undo.ts'

/** What an attempt needs of the service. */
export interface AttemptOptions {
  readonly database: Database
  readonly reader: Reader
  readonly config: Config
  readonly log: Log
  /** Aborts when the process stops. */
  readonly stopping: AbortSignal
}

/** The process stops. The attempt does not count. */
export class StoppingError extends Error {}

/**
 * Runs one attempt of a claimed task, and renews its lease meanwhile. Then it commits the effect that the task returned,
 * together with the state `done`.
 *
 * If the task is to be undone, it runs the undos of its steps instead, and commits nothing more.
 *
 * @param options.signal the signal of the request
 * @param options.timeoutMs how long the attempt may take
 * @throws what the task threw; `Suspension` and `NotUnderstoodError` from a step; `StoppingError`; `LeaseLostError` if the task
 *   was cancelled or another process has taken it, and nothing was written
 */
export async function runAttempt(
  task: Task,
  row: ClaimedRow,
  payload: unknown,
  options: AttemptOptions & { signal: AbortSignal; timeoutMs: number; steps: StepScope },
): Promise<void> {
  const { database, reader: readable, config, log, stopping, signal: request, timeoutMs, steps } = options
  const controller = new AbortController()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  aborted.catch(() => {}) // it may reject when nothing waits for it any more
  const abort = (reason: Error) => {
    controller.abort(markEndOfRequest(reason))
    reject(reason)
  }
  const stop = () => abort(new StoppingError('The process stops'))
  const onRequestAbort = () =>
    abort(request.reason instanceof Error ? request.reason : new Error('The request ended'))
  const calls = { callerScopes: task.callerScopes, endsAt: performance.now() + timeoutMs }
  const timer = setTimeout(
    () => abort(new Error(`The attempt took longer than its ${timeoutMs / 1000} s`)),
    timeoutMs,
  )
  const stopRenewing = startLeaseRenewal(database, row, abort)
  stopping.addEventListener('abort', stop)
  request.addEventListener('abort', onRequestAbort)
  try {
    if (stopping.aborted) stop()
    controller.signal.throwIfAborted()
    const { signal } = controller
    const attempt = {
      payload,
      attempt: row.attempts,
      signal,
      idempotencyKey: row.id,
      caller: row.subject === null ? undefined : { subject: row.subject },
      log,
      database: readable,
      config,
      ...createStepWords(steps, signal),
    }
    if (row.undoing) {
      const undo = () => undoSteps(steps, async () => task.run(attempt), signal)
      await Promise.race([runWithSignal(signal, undo, calls), aborted])
      await stopRenewing()
      return
    }
    const effect = await Promise.race([runWithSignal(signal, () => task.run(attempt), calls), aborted])
    steps.close()
    await stopRenewing()
    signal.throwIfAborted()
    stopping.removeEventListener('abort', stop) // the work is done: write it rather than do it again
    await runWithSignal(signal, () => commit(database, row, effect ?? undefined))
  } catch (error) {
    if (steps.end) throw steps.end
    throw causes(error).includes(controller.signal.reason) ? controller.signal.reason : error
  } finally {
    steps.shut()
    clearTimeout(timer)
    stopping.removeEventListener('abort', stop)
    request.removeEventListener('abort', onRequestAbort)
    await stopRenewing()
  }
}

/**
 * Marks the task as done, then runs its effect. This order locks the task's row first, and frees the task's key: the
 * effect may enqueue a task with the same key.
 */
async function commit(database: Database, row: ClaimedRow, effect: Effect | undefined): Promise<void> {
  const lost = () => new LeaseLostError('The task was cancelled, or another process has taken it')
  if (!effect) {
    if (!(await markDone(database, row))) throw lost()
    return
  }
  await database.transaction(async (tx) => {
    if (!(await markDone(tx, row))) throw lost()
    await effect(tx)
  })
}
