import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import type { Database } from '../database/database.ts'
import { withOwnDeadline } from '../database/own-deadline.ts'
import { abortable } from '../kernel/abortable-wait.ts'
import type { Log } from '../log/logger.ts'
import type { CloudTasks } from './cloud-tasks.ts'
import { type Delivery, markQueued } from './delivery.ts'
import type { Task } from './task.ts'
import type { Dispatch } from './transitions.ts'

/** Sends deliveries to Cloud Tasks. */
export interface Sender {
  /**
   * Sends deliveries, `concurrency` at a time, and marks their tasks as queued. Never throws: a task whose delivery could not be
   * sent stays `pending`, and the tick sends it.
   *
   * @param options.timeoutMs how long all of them may take, in milliseconds
   * @param options.ignoreBreaker sends even if the circuit breaker is open
   * @returns how many were sent
   */
  send(
    deliveries: readonly Delivery[],
    options: { timeoutMs: number; concurrency: number; ignoreBreaker?: boolean },
  ): Promise<number>
  /** Whether Cloud Tasks still has a delivery. @throws its error, or an error if it does not respond within `timeoutMs` */
  hasDelivery(delivery: Dispatch, timeoutMs: number): Promise<boolean>
}

/**
 * A circuit breaker: after so many timeouts in a row, requests send nothing for a while, and the tick does it. So their
 * callers do not wait in vain.
 */
const breakerThreshold = 3
const breakerOpenMs = 10_000
/** Cloud Tasks accepts deadlines up to 30 min. */
const maxDeadlineMs = 1_800_000
/** How long marking the sent tasks may take, even if the client has disconnected. */
const markMs = 2_000
/** How much later than the attempt's own deadline Cloud Tasks ends the call. */
const deadlineMarginMs = 15_000

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
  let timeoutsInARow = 0
  let breakerOpenUntil = Number.NEGATIVE_INFINITY

  async function create({ id, name, dispatch, at }: Delivery, signal: AbortSignal): Promise<void> {
    // a task that only another revision knows gets the longest deadline
    const ownDeadline = registry.get(name)?.deadlineMs ?? maxDeadlineMs
    const deadlineMs = Math.min(ownDeadline + deadlineMarginMs, maxDeadlineMs)
    const body = JSON.stringify({ id, dispatch })
    await client.create(
      {
        id: deliveryName({ id, dispatch }),
        url: `${url}/runtime/callbacks/${name}`,
        body,
        scheduleTime: at,
        deadlineMs,
      },
      signal,
    )
  }

  const send: Sender['send'] = async (deliveries, { timeoutMs, concurrency, ignoreBreaker = false }) => {
    if (!ignoreBreaker && performance.now() < breakerOpenUntil) return 0
    const sent: Delivery[] = []
    const waiting = [...deliveries]
    let failure: unknown
    const late = await withTimeout(timeoutMs, async (signal) => {
      async function worker(): Promise<void> {
        for (let delivery = waiting.shift(); delivery && !signal.aborted; delivery = waiting.shift()) {
          try {
            await abortable(create(delivery, signal), signal)
            sent.push(delivery)
          } catch (error) {
            failure = error
          }
        }
      }
      await Promise.all(Array.from({ length: Math.min(concurrency, deliveries.length) }, worker))
      return signal.aborted
    })
    timeoutsInARow = late ? timeoutsInARow + 1 : 0
    if (timeoutsInARow >= breakerThreshold) breakerOpenUntil = performance.now() + breakerOpenMs
    if (failure) {
      const left = deliveries.length - sent.length
      log.warn(
        { err: failure },
        `Cloud Tasks accepted ${sent.length} of ${deliveries.length} tasks; the tick sends the other ${left}`,
      )
    }
    if (sent.length > 0) {
      await withOwnDeadline(markMs, () => markQueued(database, sent)).catch((err) =>
        log.warn(
          { err },
          'Tasks were sent, but could not be marked as queued: the tick sends them again, which does no harm',
        ),
      )
    }
    return sent.length
  }

  function hasDelivery(delivery: Dispatch, timeoutMs: number): Promise<boolean> {
    return withTimeout(timeoutMs, (signal) => abortable(client.has(deliveryName(delivery), signal), signal))
  }

  return { send, hasDelivery }
}

/**
 * The name of a delivery in its queue. It is the same each time the delivery is sent, so that Cloud Tasks recognizes a
 * repetition. It starts with a hash, because Cloud Tasks is slow with sequential names.
 *
 * @see https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#Task.FIELDS.name
 */
function deliveryName({ id, dispatch }: Pick<Dispatch, 'id' | 'dispatch'>): string {
  const name = `${id}-${dispatch}`
  return `${createHash('sha256').update(name).digest('hex').slice(0, 8)}-${name}`
}

/** Runs `work` with a signal that aborts after `timeoutMs`. */
async function withTimeout<Value>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  const timer = setTimeout(
    () => controller.abort(new Error('Cloud Tasks did not respond in time')),
    timeoutMs,
  )
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
  }
}
