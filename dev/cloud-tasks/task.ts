import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { bytes, demand, duration, method, read, timestamp } from './google.ts'

/** Set at dispatch, or Google's: a task's own are not sent. */
const reserved =
  /^(host|content-length|user-agent|connection|transfer-encoding|x-(google|appengine|cloudtasks)-.*)$/i
const loopback = /^(localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/
const hour = 3_600_000

/** A task in Google's JSON, read with times in milliseconds; the last three are Google's to set. */
const schema = z.object({
  name: z.string().default(''),
  scheduleTime: timestamp.optional(),
  dispatchDeadline: duration
    .refine((time) => time >= 15_000 && time <= hour / 2, 'Task.dispatchDeadline must be between [15s, 30m].')
    .default(600_000),
  httpRequest: z.object({
    url: z
      .string('HttpRequest.url is required.')
      .min(1, 'HttpRequest.url is required.')
      .regex(/^https?:\/\//, "HttpTarget.url must start with 'http://' or 'https://'.")
      .refine(URL.canParse, 'HttpRequest.url is invalid.')
      .max(2083, 'HttpRequest.url must be at most 2083 characters.'),
    httpMethod: method.default('POST'),
    headers: z.record(z.string(), z.string()).default({}),
    body: bytes.optional(),
    oidcToken: z.object({ serviceAccountEmail: z.string(), audience: z.string().optional() }).optional(),
  }),
  createTime: timestamp.optional(),
  dispatchCount: z.number().default(0),
  responseCount: z.number().default(0),
})

/** A task, with what happened to it so far. */
export type Task = ReturnType<typeof readTask>

/** Reads CreateTask's `task`, or refuses it, in Google's words where they are known. */
export function readTask(given: unknown, queue: string, now: number) {
  demand(Object(given).httpRequest, 'Only tasks with an httpRequest are imitated.', 'UNIMPLEMENTED')
  const { name, scheduleTime = now, dispatchDeadline, httpRequest } = read(schema, given)
  const { url, httpMethod, headers, body, oidcToken } = httpRequest
  const id = name ? idIn(name, queue) : randomBytes(10).toString('hex')

  const { protocol, hostname } = new URL(url)
  const secure =
    "HttpRequest.url must start with 'https://' for request with HttpRequest.authorization_header"
  demand(!oidcToken || protocol === 'https:' || loopback.test(hostname), secure)
  const sizeOfHeaders = Object.entries(headers).flat().join('').length
  demand(sizeOfHeaders < 80 * 1024, 'HttpRequest.headers must be less than 80KB.')
  const mayHaveBody = ['POST', 'PUT', 'PATCH'].includes(httpMethod)
  demand(!body?.length || mayHaveBody, `HttpRequest.body is not allowed with HTTP method ${httpMethod}.`)
  const size = (body?.length ?? 0) + sizeOfHeaders + url.length + queue.length + id.length
  demand(size <= 1_048_569, 'Task size too large') // what Google stores is a little more
  const late = `The Task.scheduleTime, ${timestamp.encode(scheduleTime)}, is too far in the future.`
  const soon = 'Schedule time must be no more than 720h in the future.'
  demand(scheduleTime <= now + 720 * hour, `${late} ${soon}`)

  const sent = Object.entries(headers).filter(([header]) => !reserved.test(header))
  return {
    ...{ id, name: `${queue}/tasks/${id}`, createTime: now, dispatchDeadline },
    httpRequest: {
      ...httpRequest,
      headers: { ...Object.fromEntries(sent), 'User-Agent': 'Google-Cloud-Tasks' },
      oidcToken: oidcToken && { ...oidcToken, audience: oidcToken.audience || url },
    },
    scheduleTime: Math.max(scheduleTime, now),
    /** When it is to be dispatched: at its schedule time, or later. Absent while no dispatch is planned. */
    plannedFor: undefined as number | undefined,
    /** How many attempts started, how many had a response, and how many had one that was not a 5xx. */
    ...{ dispatchCount: 0, responseCount: 0, executionCount: 0 },
    firstDispatch: undefined as number | undefined,
    /** The status of the last attempt that ended; 504 if there was no response. */
    lastStatus: undefined as number | undefined,
  }
}

/** The id in `{queue}/tasks/{id}`. */
function idIn(name: string, queue: string): string {
  const [, named, id = ''] =
    name.match(/^(projects\/[^/]+\/locations\/[^/]+\/queues\/[^/]+)\/tasks\/(.*)$/s) ?? []
  const form = '"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>"'
  demand(named, `Task name must be formatted: ${form}`)
  const other = `The queue name from request ('${queue}') must be the same as the queue name in the named task ('${named}').`
  demand(named === queue, other)
  const letters = 'letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or underscores (_)'
  const rule = `can contain only ${letters}. Task ID must between 1 and 500 characters.`
  demand(/^[\w-]{1,500}$/.test(id), `Task ID "${id}" ${rule}`)
  return id
}

/** A task as Google's JSON, without its attempts. Only the FULL view has the body. */
export function renderTask(task: Task, view: 'BASIC' | 'FULL') {
  const { httpRequest, ...rest } = schema.encode(task)
  const { body, ...basic } = httpRequest
  return { ...rest, httpRequest: view === 'FULL' ? httpRequest : basic, view }
}
