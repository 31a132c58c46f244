import { demand } from './errors.ts'

const queueName = /^projects\/[\w:.-]+\/locations\/[\w-]+\/queues\/[A-Za-z0-9-]{1,100}$/
const taskName = /^(projects\/[^/]+\/locations\/[^/]+\/queues\/[^/]+)\/tasks\/(.*)$/s

/** @throws {ApiError} unless it is `projects/P/locations/L/queues/Q` */
export function checkQueueName(name: string): void {
  const form = '"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>"'
  demand(queueName.test(name), `Queue name must be formatted: ${form}.`)
}

/** The id in `{queue}/tasks/{id}`. @throws {ApiError} if that is not the form, or names another queue */
export function taskId(name: string, queue: string): string {
  const [, named, id = ''] = name.match(taskName) ?? []
  const form = '"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>"'
  demand(named !== undefined, `Task name must be formatted: ${form}`)
  const other = `The queue name from request ('${queue}') must be the same as the queue name in the named task ('${named}').`
  demand(named === queue, other)
  const letters = 'letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or underscores (_)'
  const rule = `can contain only ${letters}. Task ID must between 1 and 500 characters.`
  demand(/^[\w-]{1,500}$/.test(id), `Task ID "${id}" ${rule}`)
  return id
}
