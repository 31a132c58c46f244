import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { ApiError, demand } from './errors.ts'
import { taskId } from './names.ts'
import { duration, enumeration, read, timestamp, toDuration, toTimestamp } from './values.ts'

const methods = [
  'HTTP_METHOD_UNSPECIFIED',
  'POST',
  'GET',
  'HEAD',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
] as const
const views = ['VIEW_UNSPECIFIED', 'BASIC', 'FULL'] as const
const hour = 3_600_000
/** Set at dispatch, or Google's: a task's own are not sent. */
const reserved =
  /^(host|content-length|user-agent|connection|transfer-encoding|x-(google|appengine|cloudtasks)-.*)$/i

const deadlineRule = 'Task.dispatchDeadline must be between [15s, 30m].'
const schema = z.object({
  name: z.string().default(''),
  scheduleTime: timestamp.optional(),
  dispatchDeadline: duration
    .pipe(
      z
        .number()
        .min(15_000, deadlineRule)
        .max(hour / 2, deadlineRule),
    )
    .default(600_000),
  httpRequest: z
    .object({
      url: z
        .string('HttpRequest.url is required.')
        .min(1, 'HttpRequest.url is required.')
        .regex(/^https?:\/\//, "HttpTarget.url must start with 'http://' or 'https://'.")
        .refine(URL.canParse, 'HttpRequest.url is invalid.')
        .max(2083, 'HttpRequest.url must be at most 2083 characters.'),
      httpMethod: enumeration(methods).default('POST'),
      headers: z.record(z.string(), z.string()).default({}),
      body: z.base64().default(''),
      oidcToken: z.object({ serviceAccountEmail: z.string(), audience: z.string().optional() }).optional(),
    })
    .optional(),
})

/** How much of a task a client wants to see. */
export const viewSchema = enumeration(views).default('BASIC')

/** A task, with what happened to it so far. Times are in milliseconds. */
export interface Task extends ReturnType<typeof readTask> {}

/** Reads CreateTask's `task`. @throws {ApiError} INVALID_ARGUMENT, in Google's words where they are known */
export function readTask(given: unknown, queue: string, now: number) {
  const { name, scheduleTime = now, dispatchDeadline: deadline, httpRequest: request } = read(schema, given)
  const id = name ? taskId(name, queue) : randomBytes(10).toString('hex')
  if (!request) throw new ApiError('UNIMPLEMENTED', 'Only tasks with an httpRequest are imitated.')

  const { url, headers, oidcToken } = request
  const method = request.httpMethod === 'HTTP_METHOD_UNSPECIFIED' ? 'POST' : request.httpMethod
  const body = Buffer.from(request.body, 'base64')
  const { protocol, hostname } = new URL(url)
  const secure =
    "HttpRequest.url must start with 'https://' for request with HttpRequest.authorization_header"
  demand(!oidcToken || protocol === 'https:' || isLoopback(hostname), secure)
  const sizeOfHeaders = Object.entries(headers).flat().join('').length
  demand(sizeOfHeaders < 80 * 1024, 'HttpRequest.headers must be less than 80KB.')
  const mayHaveBody = ['POST', 'PUT', 'PATCH'].includes(method)
  demand(body.length === 0 || mayHaveBody, `HttpRequest.body is not allowed with HTTP method ${method}.`)
  const size = body.length + sizeOfHeaders + url.length + queue.length + id.length // as stored it is a little more
  demand(size <= 1_048_569, 'Task size too large')
  const soon = 'Schedule time must be no more than 720h in the future.'
  const late = `The Task.scheduleTime, ${toTimestamp(scheduleTime)}, is too far in the future. ${soon}`
  demand(scheduleTime <= now + 720 * hour, late)

  return {
    ...{ id, name: `${queue}/tasks/${id}`, method, url, body, deadline, createTime: now },
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !reserved.test(name))),
    oidc: oidcToken && { audience: oidcToken.audience || url, email: oidcToken.serviceAccountEmail },
    scheduleTime: Math.max(scheduleTime, now),
    /** Attempts that began, those that were answered, and those whose answer was not a 5xx. */
    ...{ dispatchCount: 0, responseCount: 0, executionCount: 0 },
    firstDispatch: undefined as number | undefined,
    /** What the last attempt that is over came to; 504 where no answer came. */
    lastStatus: undefined as number | undefined,
  }
}

/** A task as Google's JSON, but for the attempts it had: the body is in the FULL view only. */
export function renderTask(task: Task, view: (typeof views)[number]) {
  const { name, url, method, headers, oidc, body, dispatchCount, responseCount } = task
  const full = view === 'FULL'
  return {
    name,
    httpRequest: {
      ...{ url, httpMethod: method, headers: { ...headers, 'User-Agent': 'Google-Cloud-Tasks' } },
      ...(full && { body: body.toString('base64') }),
      ...(oidc && { oidcToken: { serviceAccountEmail: oidc.email, audience: oidc.audience } }),
    },
    scheduleTime: toTimestamp(task.scheduleTime),
    createTime: toTimestamp(task.createTime),
    dispatchDeadline: toDuration(task.deadline),
    ...{ dispatchCount, responseCount, view: full ? 'FULL' : 'BASIC' },
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
