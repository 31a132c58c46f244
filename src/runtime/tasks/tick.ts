import type { Database } from '../database/database.ts'
import { pruneResponses } from '../database/idempotency-store.ts'
import type { Log } from '../log/logger.ts'
import { toDelivery } from './delivery.ts'
import { enqueueDueSchedules } from './due-schedules.ts'
import * as sweeps from './maintenance.ts'
import type { Schedule } from './schedule.ts'
import type { Sender } from './sender.ts'
import type { Task } from './task.ts'
import { warnOfBacklog } from './tick-warnings.ts'
import { wakeForgotten } from './wake-forgotten.ts'
import { wakeLeftWaiters } from './wake-waiters.ts'

/** What a tick needs. */
export interface TickOptions {
  readonly database: Database
  readonly log: Log
  readonly sender: Sender
  readonly schedules: readonly Schedule[]
  readonly registry: ReadonlyMap<string, Task>
  /** How long a finished task is kept, in milliseconds. */
  readonly retentionMs: number
  /** How long the tick may take, in milliseconds. */
  readonly budgetMs: number
}

/** How many tasks each step of a tick concerned. */
export interface TickResult {
  scheduled: number
  rescued: number
  freed: number
  signalled: number
  sent: number
  lost: number
  announced: number
  pruned: number
}

const batchSize = 200
const concurrency = 25
/** How long one batch, or one call, may take. The tick starts no batch that cannot finish within its budget. */
const batchMs = 10_000
const pruneBatchSize = 1_000

/**
 * Runs once a minute; it is the only clock. It warns of what waits too long, enqueues due schedules, rescues the tasks of killed
 * processes, wakes those that wait for a place in vain, logs and reports dead tasks, asks Cloud Tasks about overdue deliveries,
 * sends pending tasks, and prunes old rows.
 *
 * It has a time budget. Two ticks at once do each thing once. If a tick ends halfway, the next one does the rest.
 */
export async function tick(options: TickOptions, signal: AbortSignal): Promise<TickResult> {
  const { database, log, registry, schedules, retentionMs, budgetMs } = options
  const end = performance.now() + budgetMs
  const batchTimeMs = Math.min(batchMs, budgetMs / 4)
  const hasTimeLeft = () => performance.now() + batchTimeMs < end && !signal.aborted
  await warnOfBacklog(database, log)
  const scheduled = await enqueueDueSchedules(database, log, schedules)
  const rescued = await repeatBatches(batchSize, hasTimeLeft, () => sweeps.rescueTasks(database, batchSize))
  const freed = await wakeForgotten(database, registry, hasTimeLeft)
  const signalled = await wakeLeftWaiters(database, hasTimeLeft)
  const announced = await sweeps.announceDeadTasks(database, log, batchSize)
  const lost = await requeueLostDeliveries(options, hasTimeLeft, batchTimeMs)
  const sent = await sendPending(options, hasTimeLeft, batchTimeMs)
  let pruned = 0
  for (const prune of [
    () => sweeps.pruneTasks(database, retentionMs, pruneBatchSize),
    () => sweeps.pruneSignals(database, retentionMs, pruneBatchSize),
    () => sweeps.pruneRates(database, pruneBatchSize),
    () => sweeps.pruneBatches(database, retentionMs, pruneBatchSize),
    () => pruneResponses(database, pruneBatchSize),
  ])
    pruned += await repeatBatches(pruneBatchSize, hasTimeLeft, prune)
  return { scheduled, rescued, freed, signalled, announced, lost, sent, pruned }
}

/** Repeats `once` until a batch is not full or no time is left. @returns the sum of the counts */
async function repeatBatches(
  full: number,
  hasTimeLeft: () => boolean,
  once: () => Promise<number>,
): Promise<number> {
  let sum = 0
  let count: number
  do {
    count = await once()
    sum += count
  } while (count === full && hasTimeLeft())
  return sum
}

/** Sends pending tasks. Those that fail wait for a later tick. If a whole batch fails, it stops. */
async function sendPending(
  { database, sender }: TickOptions,
  hasTimeLeft: () => boolean,
  batchTimeMs: number,
): Promise<number> {
  let sent = 0
  while (hasTimeLeft()) {
    const rows = await sweeps.takeUndelivered(database, batchSize)
    const done = await sender.send(rows.map(toDelivery), {
      timeoutMs: batchTimeMs,
      concurrency,
      ignoreBreaker: true,
    })
    sent += done
    if (rows.length < batchSize || done === 0) break
  }
  return sent
}

/**
 * Asks Cloud Tasks about overdue deliveries, and requeues the tasks of those that it does not have. A paused queue still
 * has its deliveries.
 */
async function requeueLostDeliveries(
  { database, log, sender }: TickOptions,
  hasTimeLeft: () => boolean,
  batchTimeMs: number,
): Promise<number> {
  const overdue = await sweeps.takeOverdueDeliveries(database, batchSize)
  let lost = 0
  async function worker(): Promise<void> {
    for (let delivery = overdue.shift(); delivery && hasTimeLeft(); delivery = overdue.shift()) {
      try {
        if (!(await sender.hasDelivery(delivery, batchTimeMs)))
          lost += await sweeps.requeueLost(database, delivery)
      } catch (err) {
        log.warn({ err }, 'Cloud Tasks could not be asked about an overdue task; a later tick will ask')
        return
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, overdue.length) }, worker))
  return lost
}
