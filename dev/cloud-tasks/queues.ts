import { ApiError } from './errors.ts'
import { checkQueueName } from './names.ts'
import { Queue } from './queue.ts'
import type { QueueSettings } from './settings.ts'

const week = 7 * 24 * 3_600_000

/** All queues, by name. */
export class QueueRegistry {
  readonly #queues = new Map<string, Queue>()
  readonly #deleted = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Makes a queue. @throws {ApiError} if the name is wrong, taken, or was until less than a week ago */
  create(name: string, settings: QueueSettings): Queue {
    checkQueueName(name)
    if (this.#queues.has(name)) throw new ApiError('ALREADY_EXISTS', 'Queue already exists')
    const recent = 'The queue cannot be created because a queue with this name existed too recently.'
    if ((this.#deleted.get(name) ?? -week) + week > this.#now())
      throw new ApiError('FAILED_PRECONDITION', recent)
    const queue = new Queue(name, settings, this.#now())
    this.#queues.set(name, queue)
    return queue
  }

  /** The queue of that name, if there is one. */
  find(name: string): Queue | undefined {
    return this.#queues.get(name)
  }

  /** The queue of that name. @throws {ApiError} NOT_FOUND */
  get(name: string): Queue {
    const queue = this.find(name)
    if (queue) return queue
    const hint = 'If you just created the queue, wait at least a minute for the queue to initialize.'
    throw new ApiError('NOT_FOUND', `Queue does not exist. ${hint}`)
  }

  /** Ends a queue and its tasks. @throws {ApiError} NOT_FOUND */
  delete(name: string): void {
    const queue = this.find(name)
    if (!queue) throw new ApiError('NOT_FOUND', 'Requested entity was not found.')
    queue.purge(this.#now())
    this.#queues.delete(name)
    this.#deleted.set(name, this.#now())
  }

  /** Those of a location, in the order of their names; without one, all. */
  list(parent = ''): Queue[] {
    const names = [...this.#queues.keys()].filter((name) => name.startsWith(parent && `${parent}/`)).sort()
    return names.map((name) => this.get(name))
  }
}
