import { type Context, Hono } from 'hono'
import type { Dispatcher } from './dispatcher.ts'
import { ApiError, demand } from './errors.ts'
import type { Faults } from './faults.ts'
import type { Queue } from './queue.ts'
import type { Queues } from './queues.ts'
import { readSettings, withinLimits } from './settings.ts'
import { readTask, renderTask } from './task.ts'

/** `projects/P/locations/L/queues`, then maybe a queue, `tasks`, a task and `:verb`. */
const path =
  /^\/v2\/(projects\/[^/]+\/locations\/[^/]+\/queues)(?:\/([^/:]+)(?:\/(tasks)(?:\/([^/:]+))?)?)?(?::(\w+))?$/

/** What a call is about: a location's queues, a queue or one of its tasks. */
interface Call {
  /** `projects/P/locations/L/queues` */
  readonly location: string
  readonly name: string
  readonly id: string
  readonly body: Record<string, unknown>
  readonly view: 'BASIC' | 'FULL'
}

type Options = { queues: Queues; dispatcher: Dispatcher; faults: Faults; now: () => number }

/** Google's REST API of Cloud Tasks v2, under /v2. Lists come in one page, and an update changes what it names. */
export function createApi({ queues, dispatcher, faults, now }: Options): Hono {
  function change(name: string, fields: Partial<Pick<Queue, 'state' | 'rateLimits' | 'retryConfig'>>) {
    const queue = Object.assign(queues.get(name), fields)
    dispatcher.pump(queue)
    return queue.render()
  }

  const methods: Record<string, (call: Call) => unknown> = {
    'GET queues': ({ location }) => ({ queues: queues.list(`${location}/`).map((queue) => queue.render()) }),
    'POST queues'({ location, body }) {
      const name = `${body.name}`
      demand(name.startsWith(`${location}/`), 'Invalid resource field value in the request.')
      return queues.create(name, withinLimits(readSettings(body))).render()
    },
    'GET queue': ({ name }) => queues.get(name).render(),
    'PATCH queue'({ name, body }) {
      const queue = queues.find(name)
      const settings = withinLimits(readSettings(body, queue))
      return queue ? change(name, settings) : queues.create(name, settings).render()
    },
    'DELETE queue': ({ name }) => queues.delete(name),
    'POST queue:purge'({ name }) {
      queues.get(name).purge()
      return queues.get(name).render()
    },
    'POST queue:pause': ({ name }) => change(name, { state: 'PAUSED' }),
    'POST queue:resume': ({ name }) => change(name, { state: 'RUNNING' }),

    'GET tasks': ({ name, view }) => ({
      tasks: [...queues.get(name).tasks.values()].map((task) => renderTask(task, view)),
    }),
    'POST tasks'({ name, body, view }) {
      const available = !faults.happens('createUnavailable')
      demand(available, 'The service is currently unavailable.', 'UNAVAILABLE')
      const queue = queues.get(name)
      const task = readTask(body.task, name, now())
      queue.add(task)
      const answer = renderTask(task, view)
      if (faults.happens('drop')) queue.remove(task)
      else dispatcher.schedule(queue, task)
      return faults.happens('createTimesOut') ? new Promise<never>(() => {}) : answer
    },
    'GET task': ({ name, id, view }) => renderTask(queues.get(name).get(id), view),
    'DELETE task'({ name, id }) {
      const queue = queues.get(name)
      queue.remove(queue.get(id))
    },
    'POST task:run'({ name, id, view }) {
      const queue = queues.get(name)
      const task = queue.get(id)
      dispatcher.dispatch(queue, task)
      return renderTask(task, view)
    },
  }

  async function answer(c: Context): Promise<Response> {
    const [, location = '', queue, tasks, id = '', verb] = decodeURI(c.req.path).match(path) ?? []
    const kind = id ? 'task' : (tasks ?? (queue ? 'queue' : 'queues'))
    const method = location && methods[`${c.req.method} ${kind}${verb ? `:${verb}` : ''}`]
    demand(method, `${c.req.method} ${c.req.path} is not imitated.`, 'UNIMPLEMENTED')
    const body = readJson(await c.req.text())
    const asked = c.req.query('responseView') ?? body.responseView
    const view = asked === 'FULL' || Number(asked) === 2 ? 'FULL' : 'BASIC'
    return c.json((await method({ location, name: `${location}/${queue}`, id, body, view })) ?? {})
  }

  return new Hono()
    .all('/v2/*', answer)
    .onError((error) =>
      (error instanceof ApiError ? error : new ApiError('INTERNAL', error.message)).toResponse(),
    )
}

function readJson(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text || '{}') }
  } catch {
    throw new ApiError('INVALID_ARGUMENT', 'Invalid JSON payload received.')
  }
}
