import { ApiError } from './errors.ts'
import { burst, type QueueSettings, renderSettings } from './settings.ts'
import type { Task } from './task.ts'
import { toTimestamp } from './values.ts'

/** How long a task's name stays taken after its end: Google says about an hour, and elsewhere up to a day. */
const nameRest = 3_600_000

/** A queue with its tasks: which of them may be dispatched when. */
export class Queue {
  readonly name: string
  /** The last part of the name. */
  readonly id: string
  readonly tasks = new Map<string, Task>()
  settings: QueueSettings
  state: 'RUNNING' | 'PAUSED' = 'RUNNING'
  inFlight = 0
  #purgeTime: number | undefined
  /** What waits for its dispatch, the soonest last. */
  readonly #waiting: { task: Task; at: number }[] = []
  readonly #planned = new Set<Task>()
  /** Ids of ended tasks, by when they ended. */
  readonly #ended = new Map<string, number>()
  /** The token bucket of the dispatch rate. */
  #tokens: number
  #filledAt: number

  constructor(name: string, settings: QueueSettings, now: number) {
    this.name = name
    this.id = name.slice(name.lastIndexOf('/') + 1)
    this.settings = settings
    this.#tokens = burst(settings)
    this.#filledAt = now
  }

  /** Takes a task in. @throws {ApiError} ALREADY_EXISTS if there is one of that name, or was recently */
  add(task: Task, now: number): void {
    for (const [id, at] of this.#ended) {
      if (at + nameRest > now) break
      this.#ended.delete(id)
    }
    if (this.tasks.has(task.id) || this.#ended.has(task.id))
      throw new ApiError('ALREADY_EXISTS', 'Requested entity already exists')
    this.tasks.set(task.id, task)
  }

  /** The task of that id. @throws {ApiError} NOT_FOUND, in other words if there was one recently */
  get(id: string): Task {
    const task = this.tasks.get(id)
    if (task) return task
    const recent =
      'The task no longer exists, though a task with this name existed recently. The task either successfully completed or was deleted.'
    throw new ApiError('NOT_FOUND', this.#ended.has(id) ? recent : 'Requested entity was not found.')
  }

  /** Ends a task. */
  remove(task: Task, now: number): void {
    this.unschedule(task)
    this.tasks.delete(task.id)
    this.#ended.set(task.id, now)
  }

  /** Ends all tasks. */
  purge(now: number): void {
    this.#waiting.length = 0
    this.#planned.clear()
    for (const task of [...this.tasks.values()]) this.remove(task, now)
    this.#purgeTime = now
  }

  /** Plans the task's next dispatch, in place of the one it may have. */
  schedule(task: Task, at: number): void {
    this.unschedule(task)
    const index = this.#waiting.findIndex((entry) => entry.at <= at)
    this.#waiting.splice(index < 0 ? this.#waiting.length : index, 0, { task, at })
    this.#planned.add(task)
  }

  /** Takes the planned dispatch away. */
  unschedule(task: Task): void {
    if (!this.#planned.delete(task)) return
    const index = this.#waiting.findIndex((entry) => entry.task === task)
    this.#waiting.splice(index, 1)
  }

  /**
   * Takes the task to be dispatched now, if state, concurrency and rate allow one.
   *
   * @param choose which of the `count` that are due, 0 for the soonest
   */
  take(now: number, choose: (count: () => number) => number): Task | undefined {
    const due = () => this.#waiting.length - this.#waiting.findIndex(({ at }) => at <= now)
    if (this.#blocked || (this.#waiting.at(-1)?.at ?? Number.POSITIVE_INFINITY) > now) return undefined
    this.#fill(now)
    if (this.#tokens < 1) return undefined
    this.#tokens -= 1
    const [entry] = this.#waiting.splice(-1 - choose(due), 1)
    if (entry) this.#planned.delete(entry.task)
    return entry?.task
  }

  /** When time alone will let `take` give one; nothing if it takes more than time. */
  wakeAt(now: number): number | undefined {
    const soonest = this.#waiting.at(-1)
    if (this.#blocked || !soonest) return undefined
    this.#fill(now)
    const { maxDispatchesPerSecond: rate } = this.settings.rateLimits
    return Math.max(soonest.at, now + Math.max(0, 1 - this.#tokens) * (1000 / rate))
  }

  get #blocked(): boolean {
    return this.state === 'PAUSED' || this.inFlight >= this.settings.rateLimits.maxConcurrentDispatches
  }

  #fill(now: number): void {
    const gained = ((now - this.#filledAt) / 1000) * this.settings.rateLimits.maxDispatchesPerSecond
    this.#tokens = Math.min(burst(this.settings), this.#tokens + gained)
    this.#filledAt = now
  }

  /** The queue as Google's JSON. */
  render() {
    const { name, settings, state } = this
    return { name, ...renderSettings(settings), state, purgeTime: toTimestamp(this.#purgeTime) }
  }
}
