import { z } from 'zod'
import { demand } from './errors.ts'
import { type QueueSettings, settingsSchema } from './settings.ts'
import type { Task } from './task.ts'
import { timestamp } from './values.ts'

/** How long a task's name stays taken after its end: Google says about an hour, and elsewhere up to a day. */
const nameRest = 3_600_000

const schema = settingsSchema.extend({
  name: z.string(),
  state: z.enum(['RUNNING', 'PAUSED']),
  purgeTime: timestamp.optional(),
})

/** A queue with its tasks: which of them may be dispatched when. Times are in milliseconds since 1970. */
export class Queue {
  readonly name: string
  /** The last part of the name. */
  readonly id: string
  readonly tasks = new Map<string, Task>()
  rateLimits: QueueSettings['rateLimits']
  retryConfig: QueueSettings['retryConfig']
  state: 'RUNNING' | 'PAUSED' = 'RUNNING'
  purgeTime: number | undefined
  inFlight = 0
  readonly #now: () => number
  /** What waits for its dispatch, the soonest last. */
  readonly #waiting: Task[] = []
  /** Ids of ended tasks, by when they ended. */
  readonly #ended = new Map<string, number>()
  /** When the rate allows the next dispatch. The longer ago that is, the more may go at once. */
  #allowedAt = 0

  constructor(name: string, settings: QueueSettings, now: () => number) {
    this.name = name
    this.id = name.slice(name.lastIndexOf('/') + 1)
    this.rateLimits = settings.rateLimits
    this.retryConfig = settings.retryConfig
    this.#now = now
  }

  /** Takes a task in. @throws {ApiError} ALREADY_EXISTS if there is one of that name, or was recently */
  add(task: Task): void {
    for (const [id, at] of this.#ended) {
      if (at + nameRest > this.#now()) break
      this.#ended.delete(id)
    }
    const taken = this.tasks.has(task.id) || this.#ended.has(task.id)
    demand(!taken, 'Requested entity already exists', 'ALREADY_EXISTS')
    this.tasks.set(task.id, task)
  }

  /** The task of that id. @throws {ApiError} NOT_FOUND, in other words if there was one recently */
  get(id: string): Task {
    const task = this.tasks.get(id)
    const recent =
      'The task no longer exists, though a task with this name existed recently. The task either successfully completed or was deleted.'
    demand(task, this.#ended.has(id) ? recent : 'Requested entity was not found.', 'NOT_FOUND')
    return task
  }

  /** Ends a task. */
  remove(task: Task): void {
    this.unschedule(task)
    this.tasks.delete(task.id)
    this.#ended.set(task.id, this.#now())
  }

  /** Ends all tasks. */
  purge(): void {
    for (const task of [...this.tasks.values()]) this.remove(task)
    this.purgeTime = this.#now()
  }

  /** Plans the task's next dispatch, in place of the one it may have. */
  schedule(task: Task, at: number): void {
    this.unschedule(task)
    task.plannedFor = at
    const index = this.#waiting.findIndex(({ plannedFor = 0 }) => plannedFor <= at)
    this.#waiting.splice(index < 0 ? this.#waiting.length : index, 0, task)
  }

  /** Takes the planned dispatch away. */
  unschedule(task: Task): void {
    if (task.plannedFor === undefined) return
    task.plannedFor = undefined
    this.#waiting.splice(this.#waiting.lastIndexOf(task), 1)
  }

  /** When time will allow the next dispatch, or did; `Infinity` if it takes more than time. */
  get readyAt(): number {
    const soonest = this.#waiting.at(-1)?.plannedFor
    const blocked = this.state === 'PAUSED' || this.inFlight >= this.rateLimits.maxConcurrentDispatches
    if (blocked || soonest === undefined) return Number.POSITIVE_INFINITY
    return Math.max(soonest, this.#allowedAt)
  }

  /** Takes the task to be dispatched now that the queue is ready. @param choice from 0, the soonest, to below 1 */
  take(choice: number): Task {
    const { maxDispatchesPerSecond: rate, maxBurstSize } = this.rateLimits
    const [now, interval] = [this.#now(), 1000 / rate]
    this.#allowedAt = Math.max(this.#allowedAt, now - (maxBurstSize - 1) * interval) + interval
    const due = choice && this.#waiting.filter(({ plannedFor = 0 }) => plannedFor <= now).length
    const task = this.#waiting.at(-1 - Math.floor(choice * due)) as Task
    this.unschedule(task)
    return task
  }

  /** The queue as Google's JSON. */
  render() {
    return schema.encode(this)
  }
}
