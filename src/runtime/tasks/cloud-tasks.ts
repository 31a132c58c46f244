/** A call to come. */
export interface TaskRequest {
  /** The task's id in the queue. */
  readonly id: string
  readonly url: string
  readonly body: string
  /** When; at once if absent. */
  readonly at?: Date | undefined
  /** How long Cloud Tasks waits for the answer, in milliseconds. */
  readonly deadline: number
}

/** What is asked of Cloud Tasks. `signal` gives a call up. */
export interface CloudTasks {
  /** Resolves as well where a task of this id was created before. */
  create(task: TaskRequest, signal: AbortSignal): Promise<void>
  /** Whether the queue still holds a task of this id. */
  has(id: string, signal: AbortSignal): Promise<boolean>
}

// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
const notFound = 5
const alreadyExists = 6

/**
 * Google's own client over REST: gRPC from Cloud Run is known for calls that time out. It is loaded by the first
 * request that needs it.
 *
 * @param options.emulator `host:port` of an emulator, spoken to without credentials
 * @param options.invoker the account whose OIDC token each callback carries
 */
export function cloudTasks(options: {
  queue: string
  invoker: string
  audience: string
  emulator?: string | undefined
}): CloudTasks {
  const { queue, invoker, audience, emulator } = options
  let loading: Promise<Calls> | undefined
  const calls = () => {
    loading ??= load(queue, emulator).catch((error) => {
      loading = undefined
      throw error
    })
    return loading
  }

  return {
    async create({ id, url, body, at, deadline }, signal) {
      const { createTask } = await calls()
      const task = {
        name: `${queue}/tasks/${id}`,
        httpRequest: {
          url,
          httpMethod: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: Buffer.from(body),
          oidcToken: { serviceAccountEmail: invoker, audience },
        },
        dispatchDeadline: { seconds: Math.ceil(deadline / 1000) },
        ...(at && { scheduleTime: timestamp(at) }),
      }
      const call = () => createTask({ parent: queue, task }, untimed)
      await answered(call, signal).catch(except(alreadyExists))
    },
    async has(id, signal) {
      const { getTask } = await calls()
      const call = () => getTask({ name: `${queue}/tasks/${id}` }, untimed)
      return answered(call, signal)
        .then(() => true)
        .catch(except(notFound, false))
    },
  }
}

type Cancellable = Promise<unknown> & { cancel(): void }
type Call = (request: object, options: object) => Cancellable
interface Calls {
  readonly createTask: Call
  readonly getTask: Call
}

/** With a time limit of its own, the client would leave a timer behind for each call. */
const untimed = { timeout: Number.POSITIVE_INFINITY, maxRetries: 0 }

async function load(queue: string, emulator: string | undefined): Promise<Calls> {
  const { CloudTasksClient } = await import('@google-cloud/tasks')
  const [, projectId = ''] = queue.split('/') // else the client asks for it, and leaves a timer behind
  const client = new CloudTasksClient({ fallback: true, projectId, ...(emulator && emulated(emulator)) })
  await client.initialize()
  // the methods of the client itself return promises that cannot be cancelled
  const { createTask, getTask } = client.innerApiCalls
  return { createTask, getTask } as unknown as Calls
}

/** An API key is the one credential that the client takes without a look-up. */
function emulated(address: string) {
  const [apiEndpoint, port] = address.split(':')
  return { protocol: 'http', apiEndpoint, port: Number(port), apiKey: 'none' }
}

/** Makes a call, and waits for it until the signal gives it up; none where it has done so before. */
async function answered(make: () => Cancellable, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const call = make()
  const cancel = () => call.cancel()
  signal.addEventListener('abort', cancel)
  try {
    await call
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

function except<Value>(code: number, value?: Value) {
  return (error: { code?: unknown }): Value => {
    if (error.code === code) return value as Value
    throw error
  }
}

function timestamp(date: Date) {
  const time = date.getTime()
  return { seconds: Math.floor(time / 1000), nanos: (time % 1000) * 1_000_000 }
}
