import type { protos } from '@google-cloud/tasks'
import { createAccessTokens } from '../google/access-tokens.ts'
import { fetchAccessToken } from '../google/metadata-server.ts'
import { sendRequest } from '../kernel/send-request.ts'

/** A task of Cloud Tasks to create. */
export interface NewCloudTask {
  /** The task's id in the queue. */
  readonly id: string
  readonly url: string
  readonly body: string
  /** When Cloud Tasks delivers it; at once if absent. */
  readonly scheduleTime?: Date | undefined
  /** How long Cloud Tasks waits for the response, in milliseconds. */
  readonly deadlineMs: number
}

/** The calls to Cloud Tasks. `signal` aborts a call. */
export interface CloudTasks {
  /** Creates a task. Also resolves if a task with this id was created before. */
  create(task: NewCloudTask, signal: AbortSignal): Promise<void>
  /** Whether the queue still holds a task with this id. */
  has(id: string, signal: AbortSignal): Promise<boolean>
}

/** Cloud Tasks refused a call. `status` is Google's error status, such as NOT_FOUND. */
export class CloudTasksError extends Error {
  override readonly name = 'CloudTasksError'
  readonly status: string | undefined

  constructor(message: string, status?: string) {
    super(message)
    this.status = status
  }
}

type Resource = protos.google.cloud.tasks.v2.ITask
/** A message of Google's in the JSON of its REST API: bytes in base64, durations and times as text. */
type Json<Message> = Message extends Uint8Array
  ? string
  : Message extends object
    ? keyof Message extends 'seconds' | 'nanos'
      ? string
      : { [Field in keyof Message]: Json<Message[Field]> }
    : Message

/** Of a response: it is a task without its body, or an error. */
const maxBytes = 256 * 1024

/**
 * Creates a client of Cloud Tasks' REST API. Each call is one request.
 *
 * @param options.emulator `host:port` of an emulator, which is called without credentials
 * @param options.metadataHost the metadata server, which gives the service's access token
 * @param options.invoker the account whose OIDC token each callback carries
 * @see https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks
 */
export function createCloudTasks(options: {
  queue: string
  invoker: string
  audience: string
  metadataHost: string
  emulator?: string | undefined
}): CloudTasks {
  const { queue, invoker, audience, metadataHost, emulator } = options
  const tokens = emulator ? undefined : createAccessTokens((signal) => fetchAccessToken(metadataHost, signal))
  const tasksUrl = `${emulator ? `http://${emulator}` : 'https://cloudtasks.googleapis.com'}/v2/${queue}/tasks`

  async function call(id: string, url: string, signal: AbortSignal, body?: string): Promise<void> {
    signal.throwIfAborted()
    const token = await tokens?.get(signal)
    const { status: code, text } = await sendRequest(url, {
      method: body ? 'POST' : 'GET',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      ...{ body, signal, maxBytes },
    })
    if (code === 200 && parseResponse(text)?.name === `${queue}/tasks/${id}`) return
    if (code === 401 && token) tokens?.invalidate(token)
    const { message = 'the response does not come from Cloud Tasks', status } =
      parseResponse(text)?.error ?? {}
    throw new CloudTasksError(`Cloud Tasks responded with ${code}: ${message}`, status)
  }

  return {
    async create({ id, url, body, scheduleTime, deadlineMs }, signal) {
      const task: Json<Resource> = {
        name: `${queue}/tasks/${id}`,
        httpRequest: {
          url,
          httpMethod: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: Buffer.from(body).toString('base64'),
          oidcToken: { serviceAccountEmail: invoker, audience },
        },
        dispatchDeadline: `${Math.ceil(deadlineMs / 1000)}s`,
        ...(scheduleTime && { scheduleTime: scheduleTime.toISOString() }),
      }
      await call(id, tasksUrl, signal, JSON.stringify({ task })).catch(ignoreStatus('ALREADY_EXISTS'))
    },
    async has(id, signal) {
      const held = call(id, `${tasksUrl}/${id}`, signal)
      return held.then(() => true).catch(ignoreStatus('NOT_FOUND', false))
    },
  }
}

type Read = { name?: string; error?: { status?: string; message?: string } } | null | undefined

function parseResponse(text: string): Read {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function ignoreStatus<Value>(status: string, value?: Value) {
  return (error: { status?: unknown }): Value => {
    if (error.status === status) return value as Value
    throw error
  }
}
