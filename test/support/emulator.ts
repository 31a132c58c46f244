import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { CloudTasksClient, type protos } from '@google-cloud/tasks'
import { expect } from 'vitest'
import { manualClock } from '#dev/cloud-tasks/clock.ts'
import { createEmulator, type Emulator } from '#dev/cloud-tasks/emulator.ts'
import type { SettingsResource } from '#dev/cloud-tasks/settings.ts'
import { atEnd } from './at-end.ts'

export type TaskResource = protos.google.cloud.tasks.v2.ITask

/** The queue that every emulator of the tests has. */
export const location = 'projects/test/locations/here'
export const queue = `${location}/queues/default`

/** The official client, as it is, on an emulator: an API key is the one credential that it takes without a look-up. */
export function cloudTasksClient({ url }: { url: string }): CloudTasksClient {
  const { hostname, port } = new URL(url)
  const client = new CloudTasksClient({
    ...{ fallback: true, protocol: 'http', apiKey: 'none', projectId: 'test' },
    ...{ apiEndpoint: hostname, port: Number(port) },
  })
  atEnd(() => client.close())
  return client
}

const codes = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
}

/** Expects the official client to reject with this. */
export async function refused(
  call: Promise<unknown>,
  code: keyof typeof codes,
  message: string | RegExp,
): Promise<void> {
  const text = typeof message === 'string' ? message : expect.stringMatching(message)
  await expect(call).rejects.toMatchObject({ code: codes[code], message: text })
}

/** What Google says of a queue that is not there. */
export const noQueue =
  'Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize.'

/** An emulator with a queue, a client on it, and a manual clock unless another is given; it ends with the file. */
export async function testEmulator(
  options: Parameters<typeof createEmulator>[0] & { settings?: SettingsResource } = {},
) {
  const lines: string[] = []
  const { settings, ...rest } = options
  const log = (line: string) => void lines.push(line)
  const emulator = await createEmulator({ clock: manualClock(), log, ...rest })
  atEnd(() => emulator.close())
  emulator.createQueue(queue, settings)
  const client = cloudTasksClient(emulator)

  /** Creates a task for this URL. Returns its short id. */
  async function create(url: string, task: TaskResource = {}): Promise<string> {
    const httpRequest = { url, ...task.httpRequest }
    const [created] = await client.createTask({ parent: queue, task: { ...task, httpRequest } })
    return created.name?.split('/').at(-1) ?? ''
  }
  return { emulator, client, create, lines }
}

/** What a target was sent. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/** A server that tasks are sent to. */
export interface Target {
  readonly url: string
  readonly server: Server
  readonly received: Received[]
  /** The statuses of the next answers, or what answers itself; then it is 200. */
  answers: (number | RequestListener)[]
}

/** Starts a target; it ends with the file. */
export async function startTarget(): Promise<Target> {
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers, rawHeaders } = request
    target.received.push({ method, path: url, headers, rawHeaders, body: await text(request) })
    const answer = target.answers.shift() ?? 200
    if (typeof answer === 'function') return answer(request, response)
    response.writeHead(answer).end('answered')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/work`
  const target: Target = { url, server, received: [], answers: [] }
  atEnd(async () => {
    server.closeAllConnections()
    await server[Symbol.asyncDispose]()
  })
  return target
}

/** The X-CloudTasks-* headers, under their short names. */
export function taskHeaders({ rawHeaders }: Received): Record<string, string> {
  const pairs = rawHeaders.flatMap((name, index) => (index % 2 ? [] : [[name, rawHeaders[index + 1]]]))
  const ours = pairs.filter(([name]) => name?.startsWith('X-CloudTasks-'))
  return Object.fromEntries(ours.map(([name, value]) => [name?.slice('X-CloudTasks-'.length), value]))
}

export type { Emulator }
