import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { allTheSame } from '../database/all-the-same.ts'
import type { Database } from '../database/database.ts'
import { orAborted } from '../kernel/or-aborted.ts'
import type { Log } from '../log/logger.ts'
import type { Alarm } from './alarm.ts'
import type { CloudTasks } from './cloud-tasks.ts'
import { type Dispatch, markQueued } from './ledger.ts'
import type { Task } from './task.ts'

/** Sends deliveries to Cloud Tasks. */
export interface Sender {
  /**
   * Sends deliveries, `width` at a time, and marks their tasks as queued. Never throws: a task whose delivery could not be
   * sent stays `pending`, and the tick sends it.
   *
   * @param options.time how long all of them may take, in milliseconds
   * @param options.insist sends even if the circuit breaker is open
   * @returns how many were sent
   */
  send(alarms: readonly Alarm[], options: { time: number; width: number; insist?: boolean }): Promise<number>
  /** Whether Cloud Tasks still has a delivery. @throws its error, or an error if it does not respond within `time` */
  holds(alarm: Dispatch, time: number): Promise<boolean>
}

/**
 * A circuit breaker: after so many timeouts in a row, requests send nothing for a while, and the tick does it. So their
 * callers do not wait in vain.
 */
const mostHung = 3
const restTime = 10_000
/** Cloud Tasks accepts deadlines up to 30 min. */
const longestDeadline = 1_800_000
/** How long marking the sent tasks may take, even if the client has disconnected. */
const markMs = 2_000
/** How much later than the attempt's own deadline Cloud Tasks ends the call. */
const margin = 15_000

/**
 * Creates the sender.
 *
 * @param options.url the base URL of the callbacks
 */
export function createSender(options: {
  client: CloudTasks
  database: Database
  log: Log
  url: string
  registry: ReadonlyMap<string, Task>
}): Sender {
  const { client, database, log, url, registry } = options
  let hung = 0
  let restsUntil = Number.NEGATIVE_INFINITY

  async function create({ id, name, dispatch, at }: Alarm, signal: AbortSignal): Promise<void> {
    // a task that only another revision knows gets the longest deadline
    const ownDeadline = registry.get(name)?.deadline ?? longestDeadline
    const deadline = Math.min(ownDeadline + margin, longestDeadline)
    const body = JSON.stringify({ id, dispatch })
    await client.create(
      { id: alarmId({ id, dispatch }), url: `${url}/runtime/callbacks/${name}`, body, at, deadline },
      signal,
    )
  }

  const send: Sender['send'] = async (alarms, { time, width, insist = false }) => {
    if (!insist && performance.now() < restsUntil) return 0
    const sent: Alarm[] = []
    const waiting = [...alarms]
    let failure: unknown
    const late = await limited(time, async (signal) => {
      async function lane(): Promise<void> {
        for (let alarm = waiting.shift(); alarm && !signal.aborted; alarm = waiting.shift()) {
          try {
            await orAborted(create(alarm, signal), signal)
            sent.push(alarm)
          } catch (error) {
            failure = error
          }
        }
      }
      await Promise.all(Array.from({ length: Math.min(width, alarms.length) }, lane))
      return signal.aborted
    })
    hung = late ? hung + 1 : 0
    if (hung >= mostHung) restsUntil = performance.now() + restTime
    if (failure) {
      const left = alarms.length - sent.length
      log.warn(
        { err: failure },
        `Cloud Tasks accepted ${sent.length} of ${alarms.length} tasks; the tick sends the other ${left}`,
      )
    }
    if (sent.length > 0) {
      await allTheSame(markMs, () => markQueued(database, sent)).catch((err) =>
        log.warn(
          { err },
          'Tasks were sent, but could not be marked as queued: the tick sends them again, to no effect',
        ),
      )
    }
    return sent.length
  }

  function holds(alarm: Dispatch, time: number): Promise<boolean> {
    return limited(time, (signal) => orAborted(client.has(alarmId(alarm), signal), signal))
  }

  return { send, holds }
}

/**
 * The name of a delivery in its queue. It is the same each time the delivery is sent, so that Cloud Tasks recognizes a
 * repetition. It starts with a hash, because Cloud Tasks is slow with sequential names.
 *
 * @see https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#Task.FIELDS.name
 */
function alarmId({ id, dispatch }: Pick<Dispatch, 'id' | 'dispatch'>): string {
  const name = `${id}-${dispatch}`
  return `${createHash('sha256').update(name).digest('hex').slice(0, 8)}-${name}`
}

/** Runs `work` with a signal that aborts after `time` milliseconds. */
async function limited<Value>(time: number, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  const timer = setTimeout(() => controller.abort(new Error('Cloud Tasks did not respond in time')), time)
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
  }
}
