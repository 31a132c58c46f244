import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { atEnd } from './at-end.ts'

/** What a process of the bundle takes for Google: the metadata server, and cloudtasks.googleapis.com over TLS. */
export interface Google {
  /** Node's own arguments, and the variables, of such a process. */
  readonly args: readonly string[]
  readonly environment: Record<string, string>
  /** The emulator that is behind cloudtasks.googleapis.com. */
  emulatorUrl: string
  /** How the metadata server responds; with a new token that is good for an hour, at first. */
  metadata: RequestListener
  /** How often it was asked. */
  readonly lookUps: number
  /**
   * The token of each call that arrived at Cloud Tasks, the status of its response, whether its TLS session is an earlier one,
   * and its connection.
   */
  readonly calls: { token: string | undefined; status: number; resumed: boolean; socket: Socket }[]
  /** Whether a connection to Cloud Tasks closes when a call arrives on it, which gets no response. */
  closes: (socket: Socket) => boolean
  /** Responds with a new token. */
  readonly grant: (seconds?: number) => RequestListener
  /** From here on the metadata server is not there: it refuses connections. */
  leave(): Promise<void>
  /** Cloud Tasks takes no token that was handed out so far. */
  revoke(): void
  /** From here on, time is so much later to the process, as `Date.now` has it. */
  later(milliseconds: number): void
}

const certificate = new URL('google.pem', import.meta.url)

/** Starts both; they end with the file. */
export async function startGoogle(): Promise<Google> {
  const folder = await mkdtemp(join(tmpdir(), 'google-'))
  atEnd(() => rm(folder, { recursive: true }))
  const clock = join(folder, 'clock')
  writeFileSync(clock, '0')
  const good = new Set<string>()
  const calls: Google['calls'] = []
  let granted = 0
  let lookUps = 0
  let offset = 0

  const metadataServer = createServer((request, response) => {
    lookUps++
    google.metadata(request, response)
  })
  const metadata = await listen(metadataServer)
  const pem = readFileSync(certificate)
  const cloudTasks = await listen(
    createSecureServer({ key: pem, cert: pem }, async (request, response) => {
      const { socket } = request
      if (google.closes(socket)) return void socket.destroy()
      const token = request.headers.authorization?.replace('Bearer ', '')
      const answer = token && good.has(token) ? await forward(request).catch(() => undefined) : refusal()
      if (!answer) return void response.destroy() // the emulator has ended
      const resumed = (socket as TLSSocket).isSessionReused()
      calls.push({ token, status: answer.status, resumed, socket })
      response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(await answer.text())
    }),
  )

  async function forward(request: IncomingMessage): Promise<Response> {
    const { method = '', url = '' } = request
    const body = await text(request)
    return fetch(new URL(url, google.emulatorUrl), { method, ...(body && { body }) })
  }

  const grant =
    (seconds = 3600): RequestListener =>
    (request, response) => {
      if (request.headers['metadata-flavor'] !== 'Google') return void response.writeHead(403).end()
      const token = `token-${++granted}`
      good.add(token)
      response.writeHead(200, { 'Metadata-Flavor': 'Google', 'Content-Type': 'application/json' })
      response.end(JSON.stringify({ access_token: token, expires_in: seconds, token_type: 'Bearer' }))
    }
  const google: Google = {
    args: ['--import', new URL('google-preload.ts', import.meta.url).href],
    environment: {
      CLOUD_TASKS_EMULATOR_HOST: '',
      GCE_METADATA_HOST: `127.0.0.1:${metadata}`,
      NODE_EXTRA_CA_CERTS: fileURLToPath(certificate),
      TEST_CLOUD_TASKS_PORT: `${cloudTasks}`,
      TEST_CLOCK: clock,
    },
    emulatorUrl: '',
    metadata: grant(),
    get lookUps() {
      return lookUps
    },
    ...{ calls, grant },
    closes: () => false,
    revoke: () => good.clear(),
    async leave() {
      metadataServer.closeAllConnections()
      await metadataServer[Symbol.asyncDispose]()
    },
    later: (milliseconds) => {
      offset += milliseconds
      writeFileSync(clock, `${offset}`)
    },
  }
  return google
}

function refusal(): Response {
  const error = { code: 401, message: 'Who is it?', status: 'UNAUTHENTICATED' }
  return Response.json({ error }, { status: 401 })
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
