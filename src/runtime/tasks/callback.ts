import type { Context } from 'hono'
import { withOwnDeadline } from '../database/own-deadline.ts'
import { CallError } from '../http/call-error.ts'
import type { BaseEnv } from '../http/env.ts'
import { currentRequest } from '../kernel/context.ts'
import { Problem, problems } from '../kernel/problem.ts'
import { errorMessage } from '../log/error-fields.ts'
import { announceDeath } from './announce-death.ts'
import type { DeliveryRow } from './delivery.ts'
import { endUndo } from './end-undo.ts'
import { type FailedAttempt, toFailure } from './failed-attempt.ts'
import { handOverMore } from './hand-over.ts'
import { holdBack } from './hold-back.ts'
import { LeaseLostError } from './lease.ts'
import { addToOutbox } from './outbox.ts'
import { backoffMs, type Retry } from './retry.ts'
import { type AttemptOptions, runAttempt, StoppingError } from './run-attempt.ts'
import { NotUnderstoodError, Suspension } from './step-ends.ts'
import { StepScope } from './step-scope.ts'
import { findMaxTries } from './step-store.ts'
import type { TaskState } from './table.ts'
import type { Task } from './task.ts'
import { labelRequest, runInTaskContext, traceAttempt } from './task-context.ts'
import { FatalError, RetryAfterError } from './task-errors.ts'
import {
  type ClaimedRow,
  claim,
  type Dispatch,
  findState,
  leaseMs,
  markAnnounced,
  markDead,
  releaseTask,
  requeueForRetry,
  requeueForUndo,
  snooze,
} from './transitions.ts'

/** The outcome of a callback. After any of these, Cloud Tasks does not retry it. */
export type CallbackOutcome =
  | 'done'
  | 'retrying'
  | 'suspended'
  | 'limited'
  | 'waiting'
  | 'undoing'
  | 'dead'
  | 'cancelled'
  | 'ignored'

/** What handling a callback needs of the service. */
export interface CallbackOptions extends AttemptOptions {
  readonly registry: ReadonlyMap<string, Task>
  /** How long a task waits for a revision that understands it, in milliseconds: TASKS_PATIENCE. */
  readonly gracePeriodMs: number
  /** How long an attempt may take at most, in milliseconds. It ends before the request's own deadline. */
  readonly maxAttemptMs: number
}

type MaybeOutcome = CallbackOutcome | undefined

/** How long writing the outcome of a task may take, even if the request has ended. */
const writeMs = 5_000
/** The longest wait that a `Retry-After` of another service can cause. */
const maxAskedMs = 3_600_000
/** How long a task that this revision does not understand is snoozed. */
const snoozeMs = 60_000

/**
 * Handles a callback of Cloud Tasks: claims the task, runs it, and writes the outcome.
 *
 * @throws {Problem} RUNTIME_TASK_BUSY if another process holds the task, or if this one stops: Cloud Tasks retries
 */
export async function handleCallback(
  c: Context<BaseEnv>,
  dispatch: Dispatch,
  options: CallbackOptions,
): Promise<CallbackOutcome> {
  const row = await claim(options.database, dispatch)
  const { name, id } = dispatch
  const task = { name, id, ...(row && { attempt: row.attempts, traceId: row.traceId ?? undefined }) }
  labelRequest(task)
  if (row) handOverMore(row)
  const span = row && traceAttempt(row)
  const ran = row && (await runInTaskContext(row, () => runClaimed(c, row, options), span))
  const outcome = ran ?? (await explainUnclaimed(dispatch, options))
  labelRequest({ ...task, outcome })
  span?.set({ 'task.outcome': outcome })
  span?.end()
  return outcome
}

/** @returns `undefined` if the task was cancelled, or if another process has taken it and writes the outcome */
async function runClaimed(
  c: Context<BaseEnv>,
  row: ClaimedRow,
  options: CallbackOptions,
): Promise<MaybeOutcome> {
  const task = options.registry.get(row.name)
  if (!task)
    return writeOutcome(() =>
      waitForRevision(row, 'this revision does not have a task of this name', options),
    )
  const payload = task.payload.safeParse(row.payload)
  if (!payload.success)
    return writeOutcome(() => waitForRevision(row, 'this revision does not understand its payload', options))
  const { database, log } = options
  if (row.attempts > task.retry.attempts && row.attempts > (await findMaxTries(database, row.id))) {
    const error = new Error('The process ended during the last attempt')
    return writeOutcome(() => killTask(row, row.attempts - 1, { error }, options))
  }
  const started = performance.now()
  const steps = new StepScope({ database, log, task, row })
  try {
    const held = await holdBack(database, task, row, payload.data)
    if (held !== 'run') return held === 'limited' ? held : undefined
    const timeoutMs = Math.min(task.deadlineMs, options.maxAttemptMs)
    const run = { ...options, signal: c.get('signal'), timeoutMs, steps }
    await runAttempt(task, row, payload.data, run)
    return row.undoing ? writeOutcome(() => endUndo(row, options)) : 'done'
  } catch (error) {
    const failed = { error, ms: Math.round(performance.now() - started), steps }
    return writeOutcome(() => handleFailure(task, row, failed, options))
  }
}

/** Writes the outcome even if Cloud Tasks no longer waits. Otherwise the task would wait until its lease expires. */
function writeOutcome(write: () => Promise<MaybeOutcome>): Promise<MaybeOutcome> {
  return withOwnDeadline(writeMs, write)
}

/** Decides and writes what happens after an attempt that has not succeeded. */
async function handleFailure(
  task: Task,
  row: ClaimedRow,
  failed: FailedAttempt,
  options: CallbackOptions,
): Promise<MaybeOutcome> {
  const { database, log } = options
  const { error, steps } = failed
  const step = steps?.failed
  if (error instanceof LeaseLostError) {
    log.warn({ err: error }, `${row.name}: the lease was lost, nothing was written`)
    return
  }
  if (error instanceof StoppingError) {
    await releaseTask(database, row)
    throw taskBusy(1)
  }
  if (error instanceof Suspension) return deliver(await error.write(), 'suspended')
  if (error instanceof NotUnderstoodError) return waitForRevision(row, error.message, options)
  currentRequest()?.span?.fail(error)
  await steps?.recordFailure(errorMessage(error))
  const retry = step?.retry ?? task.retry
  if (error instanceof FatalError || row.attempts >= retry.attempts) {
    return killTask(row, row.attempts, failed, options)
  }
  const delayMs = delayAfter(error, retry, row.attempts)
  const delivery = await requeueForRetry(database, row, delayMs, toFailure(failed))
  const then = delivery
    ? `the next in ${Math.round(delayMs / 1000)} s`
    : 'the task was cancelled, or another process has taken it'
  log.warn(
    { err: error },
    `${row.name}: attempt ${row.attempts} of ${retry.attempts} failed${step ? ` in the step ${step.name}` : ''}; ${then}`,
  )
  return deliver(delivery, 'retrying')
}

/** How long to wait before the next attempt. A service that was called may ask for more than the task's own wait. */
function delayAfter(error: unknown, retry: Retry, attempt: number): number {
  if (error instanceof RetryAfterError) return error.delayMs
  const asked = error instanceof CallError ? (error.retryAfterMs ?? 0) : 0
  return Math.max(backoffMs(retry, attempt), Math.min(asked, maxAskedMs))
}

async function killTask(
  row: ClaimedRow,
  attempts: number,
  failed: FailedAttempt,
  { database, log }: Pick<CallbackOptions, 'database' | 'log'>,
): Promise<MaybeOutcome> {
  const { error } = failed
  if (row.undoing) return endUndo(row, { database, log }, errorMessage(error))
  if (!(await markDead(database, row, attempts, toFailure(failed)))) {
    const delivery = await requeueForUndo(database, row, toFailure(failed))
    if (delivery) log.warn({ err: error }, `${row.name} has failed for good; the undos of its steps follow`)
    return deliver(delivery, 'undoing')
  }
  await announceDeath(log, { ...row, attempts }, error)
  await markAnnounced(database, row.id)
  return 'dead'
}

async function waitForRevision(
  row: ClaimedRow,
  why: string,
  options: CallbackOptions,
): Promise<MaybeOutcome> {
  const { database, log, gracePeriodMs } = options
  const since = row.unknownSince?.getTime()
  if (since !== undefined && claimedAt(row) - since >= gracePeriodMs) {
    return killTask(
      row,
      row.attempts - 1,
      { error: new Error(`No revision can run the task: ${why}`) },
      options,
    )
  }
  const delivery = await snooze(database, row, Math.min(snoozeMs, gracePeriodMs), why)
  log.warn(`${row.name}: ${why}; the task waits for a revision that does`)
  return deliver(delivery, 'waiting')
}

/**
 * Decides what to respond when the task could not be claimed, or was lost. The delivery is acknowledged only if the task
 * has finished, or has a later dispatch.
 */
async function explainUnclaimed(
  dispatch: Dispatch,
  { database, log }: CallbackOptions,
): Promise<CallbackOutcome> {
  const found = await findState(database, dispatch.id)
  const stale = !found || found.name !== dispatch.name || found.dispatch !== dispatch.dispatch
  if (!stale && !isOver(found.state)) throw taskBusy(Math.max(1, found.held ?? 1)) // it may have been released just now
  const is = found ? `${found.state} at dispatch ${found.dispatch}` : 'not there'
  log.info({ task: dispatch }, `${dispatch.name}: the callback is stale: the task is ${is}`)
  return 'ignored'
}

/** Adds the next delivery to the outbox. Without one, the task was cancelled, or another process has taken it. */
function deliver(delivery: DeliveryRow | undefined, outcome: CallbackOutcome): MaybeOutcome {
  addToOutbox(delivery)
  return delivery && outcome
}

function isOver(state: TaskState): boolean {
  return state === 'done' || state === 'dead' || state === 'cancelled'
}

/** When the row was claimed, by the database's clock, in milliseconds since 1970. */
function claimedAt(row: ClaimedRow): number {
  return (row.leasedUntil?.getTime() ?? 0) - leaseMs
}

function taskBusy(seconds: number): Problem {
  return new Problem(problems.RUNTIME_TASK_BUSY, { headers: { 'Retry-After': String(seconds) } })
}
