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

/** Hands alarms over to Cloud Tasks. */
export interface Sender {
  /**
   * Sends alarms, as many at once as `width`, and notes those that Cloud Tasks has. Never throws: what it could not
   * send stays `pending`, and is the tick's.
   *
   * @param options.time milliseconds for all of it
   * @param options.insist tries even while others rest: nobody waits for it
   * @returns how many were sent
   */
  send(alarms: readonly Alarm[], options: { time: number; width: number; insist?: boolean }): Promise<number>
  /** Whether Cloud Tasks still holds an alarm. @throws what it answers, and where it does not in `time` */
  holds(alarm: Dispatch, time: number): Promise<boolean>
}

/** After so many hand-overs in a row that hung, the next are left to the tick: their callers shall not wait too. */
const mostHung = 3
const restTime = 10_000
/** Cloud Tasks takes deadlines up to 30 min. */
const longestDeadline = 1_800_000
/** For noting what was handed over: the client may have left. */
const markMs = 2_000
/** How much later than the attempt's own end Cloud Tasks gives it up. */
const margin = 15_000

/** @param options.url the callbacks' base */
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
    // a task that only another revision knows may take as long as any
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
        `Cloud Tasks took ${sent.length} of ${alarms.length} tasks; the tick sends the other ${left}`,
      )
    }
    if (sent.length > 0) {
      await allTheSame(markMs, () => markQueued(database, sent)).catch((err) =>
        log.warn(
          { err },
          'Tasks were handed over, but not marked so: the tick hands them over again, to no effect',
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
 * The name of an alarm in its queue: the same each time it is sent, so that a repeat is refused as such. It begins
 * with a hash, since Cloud Tasks is slow with names that follow one another.
 *
 * @see https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#Task.FIELDS.name
 */
function alarmId({ id, dispatch }: Pick<Dispatch, 'id' | 'dispatch'>): string {
  const name = `${id}-${dispatch}`
  return `${createHash('sha256').update(name).digest('hex').slice(0, 8)}-${name}`
}

/** Does work that its signal gives up after so many milliseconds. */
async function limited<Value>(time: number, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  const timer = setTimeout(() => controller.abort(new Error('Cloud Tasks did not answer in time')), time)
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
  }
}
