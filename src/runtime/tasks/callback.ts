import type { Context } from 'hono'
import type { BaseEnv } from '../http/env.ts'
import { Problem, problems } from '../http/problem.ts'
import { errorMessage } from '../log/error-fields.ts'
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

/** What became of a callback: Cloud Tasks is done with any of these. */
export type Outcome = 'done' | 'retrying' | 'waiting' | 'dead' | 'ignored'

/** What callbacks are answered with. */
export interface CallbackOptions extends AttemptOptions {
  readonly registry: ReadonlyMap<string, Task>
  /** How long a task waits for a revision that understands it, in milliseconds. */
  readonly patience: number
  /** The longest that an attempt may take, in milliseconds: the request's own deadline comes after it. */
  readonly longest: number
}

/** Milliseconds between two looks whether a revision understands the task by now. */
const unknownWait = 60_000

/**
 * Answers a callback of Cloud Tasks: claims the task, runs it, and settles what became of it.
 *
 * @throws {Problem} TASK_BUSY where someone else holds the task, or the process stops: Cloud Tasks comes back
 */
export async function answerCallback(
  c: Context<BaseEnv>,
  dispatch: Dispatch,
  options: CallbackOptions,
): Promise<Outcome> {
  const row = await claim(options.database, dispatch)
  if (!row) return notOurs(dispatch, options)
  return inContextOf(row, () => work(c, row, options))
}

async function work(c: Context<BaseEnv>, row: ClaimedRow, options: CallbackOptions): Promise<Outcome> {
  const task = options.registry.get(row.name)
  if (!task) return wait(row, 'this revision has no task of this name', options)
  const payload = task.payload.safeParse(row.payload)
  if (!payload.success) return wait(row, 'this revision does not understand its payload', options)
  if (row.attempts > task.retry.attempts) {
    return giveUp(row, row.attempts - 1, new Error('The process ended during the last attempt'), options)
  }
  try {
    const time = Math.min(task.deadline, options.longest)
    await makeAttempt(task, row, payload.data, { ...options, signal: c.get('signal'), time })
    return 'done'
  } catch (error) {
    return settle(task, row, error, options)
  }
}

/** Decides what a failed attempt leads to. */
async function settle(
  task: Task,
  row: ClaimedRow,
  error: unknown,
  options: CallbackOptions,
): Promise<Outcome> {
  const { database, log } = options
  if (error instanceof LeaseLost) {
    log.warn({ err: error }, `${row.name}: the lease was lost, and nothing written`)
    return notOurs(row, options)
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
  const then = alarm ? `the next in ${Math.round(delay / 1000)} s` : 'it is not the one that counts'
  log.warn({ err: error }, `${row.name}: attempt ${row.attempts} of ${task.retry.attempts} failed; ${then}`)
  if (!alarm) return notOurs(row, options)
  leave(alarm)
  return 'retrying'
}

async function giveUp(
  row: ClaimedRow,
  attempts: number,
  error: unknown,
  options: CallbackOptions,
): Promise<Outcome> {
  const { database, log } = options
  if (!(await bury(database, row, attempts, errorMessage(error)))) return notOurs(row, options)
  await announceDeath(database, log, { ...row, attempts }, error)
  return 'dead'
}

async function wait(row: ClaimedRow, why: string, options: CallbackOptions): Promise<Outcome> {
  const { database, log, patience } = options
  const since = row.unknownSince?.getTime()
  if (since !== undefined && claimedAt(row) - since >= patience) {
    return giveUp(row, row.attempts - 1, new Error(`Nobody can run it: ${why}`), options)
  }
  const alarm = await postpone(database, row, Math.min(unknownWait, patience), why)
  log.warn(`${row.name}: ${why}; it waits for one that does`)
  if (!alarm) return notOurs(row, options)
  leave(alarm)
  return 'waiting'
}

/** What a callback comes to whose task is not ours to run, or no longer: its alarm goes only where it is stale. */
async function notOurs(
  { name, id, dispatch }: Dispatch,
  { database, log }: CallbackOptions,
): Promise<Outcome> {
  const found = await look(database, id)
  const current = found?.name === name && found.dispatch === dispatch
  if (current && isUnfinished(found)) throw busy(Math.max(1, found.held ?? 0))
  const is = found ? `${found.state} at dispatch ${found.dispatch}` : 'not there'
  log.info({ task: { name, id, dispatch } }, `${name}: the callback is stale, the task is ${is}`)
  return 'ignored'
}

function isUnfinished({ state }: { state: TaskState }): boolean {
  return state === 'pending' || state === 'queued' || state === 'running'
}

/** By the database's clock, in milliseconds. */
function claimedAt(row: ClaimedRow): number {
  return (row.leasedUntil?.getTime() ?? 0) - leaseTime
}

function busy(seconds: number): Problem {
  return new Problem(problems.TASK_BUSY, { headers: { 'Retry-After': String(seconds) } })
}
