import { z } from 'zod'
import { demand, timestamp } from './google.ts'
import { type QueueSettings, settingsSchema } from './settings.ts'
import type { Task } from './task.ts'

/** How long the name of a task stays taken after its end. One page of Google's says about an hour, another up to a day. */
const nameTakenMs = 3_600_000
const never = Number.POSITIVE_INFINITY
const states = z.enum(['RUNNING', 'PAUSED'])
const schema = settingsSchema.extend({ name: z.string(), state: states, purgeTime: timestamp.optional() })

/** A queue with its tasks. It decides which of them may be dispatched, and when. Times are in milliseconds since 1970. */
export type Queue = ReturnType<typeof createQueue>

/** Creates an empty queue. */
export function createQueue(name: string, settings: QueueSettings, now: () => number) {
  const resource: z.output<typeof schema> = { name, ...settings, state: 'RUNNING' }
  /** The tasks that wait for their dispatch, the soonest last. */
  const waiting: Task[] = []
  /** When each task ended, by its id. */
  const ended = new Map<string, number>()
  /** When the rate allows the next dispatch. The longer ago that is, the more tasks may go at once. */
  let allowedAt = -never
  /** How many tasks may go at once. Google derives it from the rate: 100 at the highest. */
  const burst = () => Math.max(10, Math.ceil(queue.rateLimits.maxDispatchesPerSecond / 5))

  const queue = {
    ...resource,
    /** The last part of the name. */
    id: name.slice(name.lastIndexOf('/') + 1),
    tasks: new Map<string, Task>(),
    inFlight: 0,

    /** Adds a task, unless there is one of that name, or was recently. */
    add(task: Task): void {
      for (const [id, at] of ended) {
        if (at + nameTakenMs > now()) break
        ended.delete(id)
      }
      const taken = queue.tasks.has(task.id) || ended.has(task.id)
      demand(!taken, 'Requested entity already exists', 'ALREADY_EXISTS')
      queue.tasks.set(task.id, task)
    },

    /** The task of that id. Refuses if there is none; the message differs if there was one recently. */
    get(id: string): Task {
      const task = queue.tasks.get(id)
      const recent =
        'The task no longer exists, though a task with this name existed recently. The task either successfully completed or was deleted.'
      demand(task, ended.has(id) ? recent : 'Requested entity was not found.', 'NOT_FOUND')
      return task
    },

    /** Ends a task. */
    remove(task: Task): void {
      queue.unschedule(task)
      queue.tasks.delete(task.id)
      ended.set(task.id, now())
    },

    purge(): void {
      for (const task of [...queue.tasks.values()]) queue.remove(task)
      queue.purgeTime = now()
    },

    /** Plans the next dispatch of the task, in place of one that was planned before. */
    schedule(task: Task, at: number): void {
      queue.unschedule(task)
      task.plannedFor = at
      const index = waiting.findIndex(({ plannedFor = 0 }) => plannedFor <= at)
      waiting.splice(index < 0 ? waiting.length : index, 0, task)
    },

    unschedule(task: Task): void {
      if (task.plannedFor === undefined) return
      task.plannedFor = undefined
      waiting.splice(waiting.lastIndexOf(task), 1)
    },

    /** When the next dispatch is possible, in the past or in the future; `Infinity` if waiting alone does not make it so. */
    readyAt(): number {
      const blocked = queue.state === 'PAUSED' || queue.inFlight >= queue.rateLimits.maxConcurrentDispatches
      return blocked ? never : Math.max(waiting.at(-1)?.plannedFor ?? never, allowedAt)
    },

    /** The task to dispatch now that the queue is ready. @param choice from 0, the soonest, to below 1 */
    next(choice: number): Task {
      const interval = 1000 / queue.rateLimits.maxDispatchesPerSecond
      allowedAt = Math.max(allowedAt, now() - (burst() - 1) * interval) + interval
      const due = choice && waiting.filter(({ plannedFor = 0 }) => plannedFor <= now()).length
      return waiting.at(-1 - Math.floor(choice * due)) as Task
    },

    /** The queue as Google's JSON. */
    render() {
      const { rateLimits, ...rest } = schema.encode(queue)
      return { ...rest, rateLimits: { ...rateLimits, maxBurstSize: burst() } }
    },
  }
  return queue
}
