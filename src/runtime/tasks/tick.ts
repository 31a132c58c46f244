import type { Database } from '../database/database.ts'
import { pruneAnswers } from '../database/idempotency-store.ts'
import type { Log } from '../log/logger.ts'
import { toAlarm } from './alarm.ts'
import type { Schedule } from './schedule.ts'
import type { Sender } from './sender.ts'
import { enqueueDue } from './slots.ts'
import * as sweeps from './sweeps.ts'

/** What a tick works with. */
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

/** What a tick has done, in tasks. */
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
/** For one batch, and for one question: none is begun that may not end in time. */
const turnTime = 10_000
const pruneBatch = 1_000

/**
 * The only clock: enqueues due schedules, takes back what a killed process held, hands over what nobody handed
 * over, asks after alarms that are overdue, tells of the dead, and deletes what has been over for long. Bounded in
 * time; two at once do each thing once; one that dies halfway leaves the rest to the next.
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

/** Does one batch, and further ones as long as they come back full and time is left. @returns the sum */
async function repeat(full: number, goOn: () => boolean, once: () => Promise<number>): Promise<number> {
  let sum = 0
  let count: number
  do {
    count = await once()
    sum += count
  } while (count === full && goOn())
  return sum
}

/** Hands over what nobody handed over. What failed is left to a later tick; where all did, so is the rest. */
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

/** Asks Cloud Tasks about alarms that are long overdue. Only what it does not know is lost: a paused queue keeps all. */
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
        log.warn({ err }, 'Cloud Tasks could not be asked about an overdue task; a later tick asks again')
        return
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, overdue.length) }, lane))
  return lost
}
