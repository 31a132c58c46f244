import { demand } from './google.ts'
import { createQueue, type Queue } from './queue.ts'
import type { QueueSettings } from './settings.ts'

const form = /^projects\/[\w:.-]+\/locations\/[\w-]+\/queues\/[A-Za-z0-9-]{1,100}$/
const weekMs = 7 * 24 * 3_600_000

/** All queues, by name. */
export type Queues = ReturnType<typeof createQueues>

/** Holds the queues. At first there are none. */
export function createQueues(now: () => number) {
  const queues = new Map<string, Queue>()
  const deleted = new Map<string, number>()
  return {
    /** Creates a queue. Refuses if the name is wrong or taken, or was taken less than a week ago. */
    create(name: string, settings: QueueSettings): Queue {
      const words = '"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>"'
      demand(form.test(name), `Queue name must be formatted: ${words}.`)
      demand(!queues.has(name), 'Queue already exists', 'ALREADY_EXISTS')
      const recent = 'The queue cannot be created because a queue with this name existed too recently.'
      demand((deleted.get(name) ?? -weekMs) + weekMs <= now(), recent, 'FAILED_PRECONDITION')
      const queue = createQueue(name, settings, now)
      queues.set(name, queue)
      return queue
    },

    find: (name: string) => queues.get(name),

    /** The queue of that name, or a refusal. */
    get(name: string): Queue {
      const queue = queues.get(name)
      const hint = 'If you just created the queue, wait at least a minute for the queue to initialize.'
      demand(queue, `Queue does not exist. ${hint}`, 'NOT_FOUND')
      return queue
    },

    /** Ends a queue and its tasks. */
    delete(name: string): void {
      const queue = queues.get(name)
      demand(queue, 'Requested entity was not found.', 'NOT_FOUND')
      queue.purge()
      queues.delete(name)
      deleted.set(name, now())
    },

    /** The queues whose names start with this, in the order of their names. */
    list(prefix = ''): Queue[] {
      const chosen = [...queues.values()].filter(({ name }) => name.startsWith(prefix))
      return chosen.sort((a, b) => (a.name < b.name ? -1 : 1))
    },
  }
}
