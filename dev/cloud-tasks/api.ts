import { type Context, Hono } from 'hono'
import type { Dispatcher } from './dispatcher.ts'
import type { Faults } from './faults.ts'
import { demand } from './google.ts'
import type { Queue } from './queue.ts'
import type { Queues } from './queues.ts'
import { readSettings, withinLimits } from './settings.ts'
import { readTask, renderTask } from './task.ts'

/** `projects/P/locations/L/queues`, then maybe a queue, `tasks`, a task and `:verb`. */
const path =
  /^\/v2\/(projects\/[^/]+\/locations\/[^/]+\/queues)(?:\/([^/:]+)(?:\/(tasks)(?:\/([^/:]+))?)?)?(?::(\w+))?$/

type Options = { queues: Queues; dispatcher: Dispatcher; faults: Faults; now: () => number }

/** Google's REST API of Cloud Tasks v2, under /v2. A list has one page, and an update changes the fields that it has. */
export function createApi({ queues, dispatcher, faults, now }: Options): Hono {
  function change(queue: Queue, fields: Partial<Queue>) {
    Object.assign(queue, fields)
    dispatcher.pump(queue)
    return queue.render()
  }

  const methods: Record<string, (call: ReturnType<typeof createCall>) => unknown> = {
    'GET queues': ({ parent }) => ({ queues: queues.list(`${parent}/`).map((queue) => queue.render()) }),
    'POST queues'({ parent, body }) {
      const name = `${body.name}`
      demand(name.startsWith(`${parent}/`), 'Invalid resource field value in the request.')
      return queues.create(name, withinLimits(readSettings(body))).render()
    },
    'GET queue': ({ queue }) => queue.render(),
    'PATCH queue'({ name, body }) {
      const queue = queues.find(name)
      const settings = withinLimits(readSettings(body, queue))
      return queue ? change(queue, settings) : queues.create(name, settings).render()
    },
    'DELETE queue': ({ name }) => queues.delete(name),
    'POST queue:purge'({ queue }) {
      queue.purge()
      return queue.render()
    },
    'POST queue:pause': ({ queue }) => change(queue, { state: 'PAUSED' }),
    'POST queue:resume': ({ queue }) => change(queue, { state: 'RUNNING' }),

    'GET tasks': ({ queue, view }) => ({
      tasks: [...queue.tasks.values()].map((task) => renderTask(task, view)),
    }),
    'POST tasks'({ queue, body, view }) {
      const available = !faults.happens('createUnavailable')
      demand(available, 'The service is currently unavailable.', 'UNAVAILABLE')
      const task = readTask(body.task, queue.name, now())
      queue.add(task)
      const created = renderTask(task, view)
      if (faults.happens('drop')) queue.remove(task)
      else dispatcher.schedule(queue, task)
      return faults.happens('createTimesOut') ? new Promise<never>(() => {}) : created
    },
    'GET task': ({ task, view }) => renderTask(task, view),
    'DELETE task': ({ queue, task }) => queue.remove(task),
    'POST task:run'({ queue, task, view }) {
      dispatcher.dispatch(queue, task)
      return renderTask(task, view)
    },
  }

  /** What a call is about. Reading `queue` or `task` refuses the call if there is none. */
  function createCall(c: Context, body: Record<string, unknown>, parent: string, queue: string, id: string) {
    const name = `${parent}/${queue}`
    const full = /^(2|FULL)$/.test(c.req.query('responseView') ?? `${body.responseView}`)
    return {
      ...{ parent, name, body, view: full ? ('FULL' as const) : ('BASIC' as const) },
      get queue() {
        return queues.get(name)
      },
      get task() {
        return queues.get(name).get(id)
      },
    }
  }

  return new Hono().all('/v2/*', async (c) => {
    const [, parent = '', queue = '', tasks, id = '', verb] = decodeURI(c.req.path).match(path) ?? []
    const kind = id ? 'task' : (tasks ?? (queue ? 'queue' : 'queues'))
    const method = parent && methods[`${c.req.method} ${kind}${verb ? `:${verb}` : ''}`]
    demand(method, `${c.req.method} ${c.req.path} is not imitated.`, 'UNIMPLEMENTED')
    const body = await new Response((await c.req.text()) || '{}').json().catch(() => undefined)
    demand(body !== undefined, 'Invalid JSON payload received.')
    return c.json((await method(createCall(c, { ...body }, parent, queue, id))) ?? {})
  })
}
