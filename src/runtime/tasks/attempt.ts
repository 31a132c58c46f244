import type { Config } from '../config/config.ts'
import type { Database } from '../database/database.ts'
import type { Reader } from '../database/reader.ts'
import { causes } from '../kernel/causes.ts'
import { endOfRequest, withSignal } from '../kernel/context.ts'
import type { Log } from '../log/logger.ts'
import { keepLease, LeaseLost } from './lease.ts'
import { type ClaimedRow, finish } from './ledger.ts'
import type { Effect, Task } from './task.ts'

/** What attempts are made with. */
export interface AttemptOptions {
  readonly database: Database
  readonly reader: Reader
  readonly config: Config
  readonly log: Log
  /** Aborts when the process is told to stop. */
  readonly stopping: AbortSignal
}

/** The process is told to stop: the attempt is nobody's fault. */
export class Stopping extends Error {}

/**
 * Makes one attempt at a claimed task: runs it under its lease, then commits what it returned together with
 * `done`.
 *
 * @param signal the request's own
 * @param time milliseconds that the attempt may take
 * @throws what the task threw; `LeaseLost`, where nothing was written; `Stopping`
 */
export async function makeAttempt(
  task: Task,
  row: ClaimedRow,
  payload: unknown,
  options: AttemptOptions & { signal: AbortSignal; time: number },
): Promise<void> {
  const { database, reader: readable, config, log, stopping, signal: request, time } = options
  const controller = new AbortController()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  aborted.catch(() => {}) // it may abort when nobody waits any more
  const abort = (reason: Error) => {
    controller.abort(endOfRequest(reason))
    reject(reason)
  }
  const stop = () => abort(new Stopping('The process was told to stop'))
  const leave = () => abort(request.reason instanceof Error ? request.reason : new Error('The request ended'))
  const timer = setTimeout(() => abort(new Error(`The attempt took longer than its ${time / 1000} s`)), time)
  const stopRenewing = keepLease(database, row, abort)
  stopping.addEventListener('abort', stop)
  request.addEventListener('abort', leave)
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
    }
    const effect = await Promise.race([withSignal(signal, () => task.run(attempt)), aborted])
    await stopRenewing()
    signal.throwIfAborted()
    stopping.removeEventListener('abort', stop) // what was done is better written than done again
    await withSignal(signal, () => commit(database, row, effect ?? undefined))
  } catch (error) {
    throw causes(error).includes(controller.signal.reason) ? controller.signal.reason : error
  } finally {
    clearTimeout(timer)
    stopping.removeEventListener('abort', stop)
    request.removeEventListener('abort', leave)
    await stopRenewing()
  }
}

/** `done` first: it locks the row by its lease, and frees its key for what the effect may enqueue. */
async function commit(database: Database, row: ClaimedRow, effect: Effect | undefined): Promise<void> {
  const lost = () => new LeaseLost('The task was taken away before it could be finished')
  if (!effect) {
    if (!(await finish(database, row))) throw lost()
    return
  }
  await database.transaction(async (tx) => {
    if (!(await finish(tx, row))) throw lost()
    await effect(tx)
  })
}
