import { demand } from './errors.ts'
import { Queue } from './queue.ts'
import type { QueueSettings } from './settings.ts'

const form = /^projects\/[\w:.-]+\/locations\/[\w-]+\/queues\/[A-Za-z0-9-]{1,100}$/
const week = 7 * 24 * 3_600_000

/** All queues, by name. */
export class Queues {
  readonly #queues = new Map<string, Queue>()
  readonly #deleted = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Makes a queue. @throws {ApiError} if the name is wrong, taken, or was until less than a week ago */
  create(name: string, settings: QueueSettings): Queue {
    const words = '"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>"'
    demand(form.test(name), `Queue name must be formatted: ${words}.`)
    demand(!this.#queues.has(name), 'Queue already exists', 'ALREADY_EXISTS')
    const recent = 'The queue cannot be created because a queue with this name existed too recently.'
    demand((this.#deleted.get(name) ?? 0) + week <= this.#now(), recent, 'FAILED_PRECONDITION')
    const queue = new Queue(name, settings, this.#now)
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
    const hint = 'If you just created the queue, wait at least a minute for the queue to initialize.'
    demand(queue, `Queue does not exist. ${hint}`, 'NOT_FOUND')
    return queue
  }

  /** Ends a queue and its tasks. @throws {ApiError} NOT_FOUND */
  delete(name: string): void {
    const queue = this.find(name)
    demand(queue, 'Requested entity was not found.', 'NOT_FOUND')
    queue.purge()
    this.#queues.delete(name)
    this.#deleted.set(name, this.#now())
  }

  /** Those whose names begin like this, in the order of their names. */
  list(prefix = ''): Queue[] {
    const names = [...this.#queues.keys()].filter((name) => name.startsWith(prefix)).sort()
    return names.map((name) => this.get(name))
  }
}
