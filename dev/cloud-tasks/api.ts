import { type Context, Hono } from 'hono'
import type { Dispatcher } from './dispatcher.ts'
import { ApiError, demand } from './errors.ts'
import type { Faults } from './faults.ts'
import type { Queue } from './queue.ts'
import type { QueueRegistry } from './queues.ts'
import { checkLimits, readSettings } from './settings.ts'
import { readTask, renderTask, viewSchema } from './task.ts'
import { read } from './values.ts'

/** `projects/P/locations/L/queues`, then maybe a queue, `tasks`, a task and `:verb`. */
const path =
  /^\/v2\/(projects\/[^/]+\/locations\/[^/]+)\/queues(?:\/([^/:]+)(?:\/(tasks)(?:\/([^/:]+))?)?)?(?::(\w+))?$/

/** What a call is about: a location's queues, a queue or one of its tasks. */
interface Call {
  readonly location: string
  readonly name: string
  readonly id: string
  readonly body: Record<string, unknown>
  /** The `responseView`. */
  readonly view: ReturnType<typeof viewSchema.parse>
}

type Options = { queues: QueueRegistry; dispatcher: Dispatcher; faults: Faults; now: () => number }

/** Google's REST API of Cloud Tasks v2, under /v2. Lists come in one page, and an update changes what it names. */
export function createApi({ queues, dispatcher, faults, now }: Options): Hono {
  function change(name: string, fields: Partial<Pick<Queue, 'state' | 'settings'>>) {
    const queue = Object.assign(queues.get(name), fields)
    dispatcher.pump(queue)
    return queue.render()
  }

  function createQueue(name: string, body: unknown) {
    const settings = readSettings(body)
    checkLimits(settings)
    return queues.create(name, settings).render()
  }

  const methods: Record<string, (call: Call) => unknown> = {
    'GET queues': ({ location }) => ({ queues: queues.list(location).map((queue) => queue.render()) }),
    'POST queues'({ location, body }) {
      const name = `${body.name}`
      demand(name.startsWith(`${location}/queues/`), 'Invalid resource field value in the request.')
      return createQueue(name, body)
    },
    'GET queue': ({ name }) => queues.get(name).render(),
    'PATCH queue'({ name, body }) {
      const before = queues.find(name)?.settings
      if (!before) return createQueue(name, body)
      const settings = readSettings(body, before)
      checkLimits(settings)
      return change(name, { settings })
    },
    'DELETE queue': ({ name }) => queues.delete(name),
    'POST queue:purge'({ name }) {
      queues.get(name).purge(now())
      return queues.get(name).render()
    },
    'POST queue:pause': ({ name }) => change(name, { state: 'PAUSED' }),
    'POST queue:resume': ({ name }) => change(name, { state: 'RUNNING' }),

    'GET tasks': ({ name, view }) => ({
      tasks: [...queues.get(name).tasks.values()].map((task) => renderTask(task, view)),
    }),
    'POST tasks'({ name, body, view }) {
      if (faults.happens('createUnavailable'))
        throw new ApiError('UNAVAILABLE', 'The service is currently unavailable.')
      const queue = queues.get(name)
      const task = readTask(body.task, name, now())
      queue.add(task, now())
      const answer = renderTask(task, view)
      if (faults.happens('drop')) queue.remove(task, now())
      else dispatcher.schedule(queue, task)
      return faults.happens('createTimesOut') ? new Promise<never>(() => {}) : answer
    },
    'GET task': ({ name, id, view }) => renderTask(queues.get(name).get(id), view),
    'DELETE task'({ name, id }) {
      const queue = queues.get(name)
      queue.remove(queue.get(id), now())
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
    const method = methods[`${c.req.method} ${kind}${verb ? `:${verb}` : ''}`]
    if (!location || !method)
      throw new ApiError('UNIMPLEMENTED', `${c.req.method} ${c.req.path} is not imitated.`)
    const body = readJson(await c.req.text())
    const view = read(viewSchema, c.req.query('responseView') ?? body.responseView)
    const result = await method({ location, name: `${location}/queues/${queue}`, id, body, view })
    return c.json(result ?? {})
  }

  return new Hono().all('/v2/*', answer)
}

function readJson(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text || '{}') }
  } catch {
    throw new ApiError('INVALID_ARGUMENT', 'Invalid JSON payload received.')
  }
}
