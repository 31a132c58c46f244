import type { Database } from '../database/database.ts'
import { pruneAnswers } from '../database/idempotency-store.ts'
import type { Log } from '../log/logger.ts'
import { toAlarm } from './alarm.ts'
import type { Schedule } from './schedule.ts'
import type { Sender } from './sender.ts'
import { enqueueDue } from './slots.ts'
import * as sweeps from './sweeps.ts'

/** What a tick needs. */
export interface TickOptions {
  readonly database: Database
  readonly log: Log
  readonly sender: Sender
  readonly schedules: readonly Schedule[]
  /** How long a finished task is kept, in milliseconds. */
  readonly keep: number
  /** How long the tick may take, in milliseconds. */
  readonly time: number
}

/** How many tasks each step of a tick concerned. */
export interface TickResult {
  scheduled: number
  reclaimed: number
  sent: number
  lost: number
  announced: number
  pruned: number
}

const batch = 200
const width = 25
/** How long one batch, or one call, may take. The tick starts no batch that cannot finish within its budget. */
const turnTime = 10_000
const pruneBatch = 1_000

/**
 * Runs once a minute; it is the only clock. It enqueues due schedules, rescues the tasks of killed processes, logs and
 * reports dead tasks, asks Cloud Tasks about overdue deliveries, sends pending tasks, and prunes old rows.
 *
 * It has a time budget. Two ticks at once do each thing once. If a tick ends halfway, the next one does the rest.
 */
export async function tick(options: TickOptions, signal: AbortSignal): Promise<TickResult> {
  const { database, log, schedules, keep, time } = options
  const end = performance.now() + time
  const turn = Math.min(turnTime, time / 4)
  const goOn = () => performance.now() + turn < end && !signal.aborted
  const scheduled = await enqueueDue(database, log, schedules)
  const reclaimed = await repeat(batch, goOn, () => sweeps.takeRunaways(database, batch))
  const announced = await sweeps.announceDead(database, log, batch)
  const lost = await findLost(options, goOn, turn)
  const sent = await sendPending(options, goOn, turn)
  const pruned =
    (await repeat(pruneBatch, goOn, () => sweeps.pruneTasks(database, keep, pruneBatch))) +
    (await repeat(pruneBatch, goOn, () => pruneAnswers(database, pruneBatch)))
  return { scheduled, reclaimed, announced, lost, sent, pruned }
}

/** Runs batches while they are full and time is left. @returns the sum of their counts */
async function repeat(full: number, goOn: () => boolean, once: () => Promise<number>): Promise<number> {
  let sum = 0
  let count: number
  do {
    count = await once()
    sum += count
  } while (count === full && goOn())
  return sum
}

/** Sends pending tasks. Those that fail wait for a later tick. If a whole batch fails, it stops. */
async function sendPending(
  { database, sender }: TickOptions,
  goOn: () => boolean,
  turn: number,
): Promise<number> {
  let sent = 0
  while (goOn()) {
    const rows = await sweeps.takePending(database, batch)
    const done = await sender.send(rows.map(toAlarm), { time: turn, width, insist: true })
    sent += done
    if (rows.length < batch || done === 0) break
  }
  return sent
}

/**
 * Asks Cloud Tasks about overdue deliveries, and requeues the tasks of those that it does not have. A paused queue still
 * has its deliveries.
 */
async function findLost(
  { database, log, sender }: TickOptions,
  goOn: () => boolean,
  turn: number,
): Promise<number> {
  const overdue = await sweeps.takeOverdue(database, batch)
  let lost = 0
  async function lane(): Promise<void> {
    for (let alarm = overdue.shift(); alarm && goOn(); alarm = overdue.shift()) {
      try {
        if (!(await sender.holds(alarm, turn))) lost += await sweeps.takeLost(database, alarm)
      } catch (err) {
        log.warn({ err }, 'Cloud Tasks could not be asked about an overdue task; a later tick will ask')
        return
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, overdue.length) }, lane))
  return lost
}
