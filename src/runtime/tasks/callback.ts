import type { Context } from 'hono'
import { allTheSame } from '../database/all-the-same.ts'
import type { BaseEnv } from '../http/env.ts'
import { Problem, problems } from '../kernel/problem.ts'
import { errorMessage } from '../log/error-fields.ts'
import type { AlarmRow } from './alarm.ts'
import { announceDeath } from './announce.ts'
import { type AttemptOptions, makeAttempt, Stopping } from './attempt.ts'
import { LeaseLost } from './lease.ts'
import {
  bury,
  type ClaimedRow,
  claim,
  type Dispatch,
  leaseTime,
  look,
  postpone,
  release,
  reschedule,
} from './ledger.ts'
import { inContextOf } from './origin.ts'
import { leave } from './outbox.ts'
import { FatalError, RetryAfterError } from './outcome.ts'
import type { TaskState } from './table.ts'
import { backoff, type Task } from './task.ts'

/** The outcome of a callback. After any of these, Cloud Tasks does not retry it. */
export type Outcome = 'done' | 'retrying' | 'waiting' | 'dead' | 'ignored'

/** What handling a callback needs of the service. */
export interface CallbackOptions extends AttemptOptions {
  readonly registry: ReadonlyMap<string, Task>
  /** How long a task waits for a revision that understands it, in milliseconds: TASKS_PATIENCE. */
  readonly patience: number
  /** How long an attempt may take at most, in milliseconds. It ends before the request's own deadline. */
  readonly longest: number
}

type Settled = Outcome | undefined

/** How long writing the outcome of a task may take, even if the request has ended. */
const settleMs = 5_000
/** How long a task that this revision does not understand is snoozed. */
const unknownWait = 60_000

/**
 * Handles a callback of Cloud Tasks: claims the task, runs it, and writes the outcome.
 *
 * @throws {Problem} RUNTIME_TASK_BUSY if another process holds the task, or if this one stops: Cloud Tasks retries
 */
export async function answerCallback(
  c: Context<BaseEnv>,
  dispatch: Dispatch,
  options: CallbackOptions,
): Promise<Outcome> {
  const row = await claim(options.database, dispatch)
  if (!row) return unclaimed(dispatch, options)
  const outcome = await inContextOf(row, () => work(c, row, options))
  return outcome ?? unclaimed(dispatch, options)
}

/** @returns `undefined` if another process has taken the task: that one writes the outcome */
async function work(c: Context<BaseEnv>, row: ClaimedRow, options: CallbackOptions): Promise<Settled> {
  const task = options.registry.get(row.name)
  if (!task) return settled(() => wait(row, 'this revision does not have a task of this name', options))
  const payload = task.payload.safeParse(row.payload)
  if (!payload.success)
    return settled(() => wait(row, 'this revision does not understand its payload', options))
  if (row.attempts > task.retry.attempts) {
    const error = new Error('The process ended during the last attempt')
    return settled(() => giveUp(row, row.attempts - 1, error, options))
  }
  try {
    const time = Math.min(task.deadline, options.longest)
    await makeAttempt(task, row, payload.data, { ...options, signal: c.get('signal'), time })
    return 'done'
  } catch (error) {
    return settled(() => settle(task, row, error, options))
  }
}

/** Writes the outcome even if Cloud Tasks no longer waits. Otherwise the task would wait until its lease expires. */
function settled(write: () => Promise<Settled>): Promise<Settled> {
  return allTheSame(settleMs, write)
}

/** Decides and writes what happens after a failed attempt. */
async function settle(
  task: Task,
  row: ClaimedRow,
  error: unknown,
  options: CallbackOptions,
): Promise<Settled> {
  const { database, log } = options
  if (error instanceof LeaseLost) {
    log.warn({ err: error }, `${row.name}: the lease was lost, nothing was written`)
    return
  }
  if (error instanceof Stopping) {
    await release(database, row)
    throw busy(1)
  }
  if (error instanceof FatalError || row.attempts >= task.retry.attempts) {
    return giveUp(row, row.attempts, error, options)
  }
  const delay = error instanceof RetryAfterError ? error.delay : backoff(task, row.attempts)
  const alarm = await reschedule(database, row, delay, errorMessage(error))
  const then = alarm ? `the next in ${Math.round(delay / 1000)} s` : 'another process has taken the task'
  log.warn({ err: error }, `${row.name}: attempt ${row.attempts} of ${task.retry.attempts} failed; ${then}`)
  return next(alarm, 'retrying')
}

async function giveUp(
  row: ClaimedRow,
  attempts: number,
  error: unknown,
  { database, log }: CallbackOptions,
): Promise<Settled> {
  if (!(await bury(database, row, attempts, errorMessage(error)))) return
  await announceDeath(database, log, { ...row, attempts }, error)
  return 'dead'
}

async function wait(row: ClaimedRow, why: string, options: CallbackOptions): Promise<Settled> {
  const { database, log, patience } = options
  const since = row.unknownSince?.getTime()
  if (since !== undefined && claimedAt(row) - since >= patience) {
    return giveUp(row, row.attempts - 1, new Error(`No revision can run the task: ${why}`), options)
  }
  const alarm = await postpone(database, row, Math.min(unknownWait, patience), why)
  log.warn(`${row.name}: ${why}; the task waits for a revision that does`)
  return next(alarm, 'waiting')
}

/**
 * Decides what to respond when the task could not be claimed, or was lost. The delivery is acknowledged only if the task
 * has finished, or has a later dispatch.
 */
async function unclaimed(dispatch: Dispatch, { database, log }: CallbackOptions): Promise<Outcome> {
  const found = await look(database, dispatch.id)
  const stale = !found || found.name !== dispatch.name || found.dispatch !== dispatch.dispatch
  if (!stale && !isOver(found.state)) throw busy(Math.max(1, found.held ?? 1)) // it may have been released just now
  const is = found ? `${found.state} at dispatch ${found.dispatch}` : 'not there'
  log.info({ task: dispatch }, `${dispatch.name}: the callback is stale: the task is ${is}`)
  return 'ignored'
}

/** Adds the next delivery to the outbox. Without one, another process has taken the task. */
function next(alarm: AlarmRow | undefined, outcome: Outcome): Settled {
  leave(alarm)
  return alarm && outcome
}

function isOver(state: TaskState): boolean {
  return state === 'done' || state === 'dead' || state === 'cancelled'
}

/** When the row was claimed, by the database's clock, in milliseconds since 1970. */
function claimedAt(row: ClaimedRow): number {
  return (row.leasedUntil?.getTime() ?? 0) - leaseTime
}

function busy(seconds: number): Problem {
  return new Problem(problems.RUNTIME_TASK_BUSY, { headers: { 'Retry-After': String(seconds) } })
}
