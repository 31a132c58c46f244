import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { Hono } from 'hono'
import { runInContext } from '../log/context.ts'
import type { Log } from '../log/logger.ts'
import { reportError } from '../log/report.ts'
import type { BaseEnv } from './env.ts'
import { type ProblemDefinition, problems } from './problem.ts'
import type { ProblemFormat } from './problem-format.ts'

/** Google's front end keeps an idle connection for 600 s: ours must outlast it, or it meets a closed one (502). */
const keepAliveTimeout = 620_000
/** Above the keep-alive, since Node counts a connection's rest as time spent on headers. */
const headersTimeout = 630_000

/** A server that can be stopped without losing a request. */
export interface DrainableServer {
  readonly server: Server
  /**
   * Takes no more connections, finishes what is in flight, then closes; what is still unfinished after
   * `milliseconds` (a half-sent body, a stuck handler) is cut.
   *
   * @returns whether everything finished by itself
   */
  drain(milliseconds: number): Promise<boolean>
}

/**
 * Serves the app over HTTP/1.1. What Node refuses before the app sees it (a malformed request, headers over
 * 16 KiB) is answered with a problem as well.
 *
 * @see https://cloud.google.com/load-balancing/docs/https#timeouts_and_retries
 */
export function createHttpServer(options: {
  app: Hono<BaseEnv>
  format: ProblemFormat
  log: Log
}): DrainableServer {
  const { app, format, log } = options
  const refuse = refusals(format, log)
  const listener = getRequestListener(app.fetch, {
    hostname: 'localhost', // for HTTP/1.0 without a Host header
    async errorHandler(error) {
      if (error instanceof RequestError) return refuse.asResponse(problems.MALFORMED_REQUEST)
      log.error({ err: error }, problems.INTERNAL.title)
      await reportError(error)
      return refuse.asResponse(problems.INTERNAL)
    },
  })
  /** Every connection, with the answer that it owes last. */
  const connections = new Map<Socket, ServerResponse | undefined>()
  let draining = false

  const server = createServer(
    // without Node's own check of the Host header, whose answer has no body
    { keepAliveTimeout, headersTimeout, requestTimeout: headersTimeout, requireHostHeader: false },
    (incoming: IncomingMessage, outgoing: ServerResponse) => {
      if (incoming.headers.host === undefined && incoming.httpVersion === '1.1') {
        return refuse.by(outgoing, problems.MALFORMED_REQUEST)
      }
      const { socket } = incoming
      connections.set(socket, outgoing)
      outgoing.shouldKeepAlive &&= !draining
      outgoing.once('close', () => {
        if (connections.get(socket) === outgoing) connections.set(socket, undefined)
        if (draining) server.closeIdleConnections()
      })
      void listener(incoming, outgoing)
    },
  )
  server.on('connection', (socket) => {
    connections.set(socket, undefined)
    socket.once('close', () => connections.delete(socket))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const busy = connections.get(socket)
    const left = error.code === 'HPE_INVALID_EOF_STATE' // in the middle of a body: the request's own line says so
    const begun = busy && (busy.headersSent || !busy.socket) // without one it waits for an earlier answer
    if (begun || (busy && left)) return void socket.destroy()
    const unknownMethod = error.code === 'HPE_INVALID_METHOD'
    const headers = unknownMethod ? { Allow: everyMethod(app) } : {}
    socket.end(refuse.asText(definitionOf(error.code), headers))
  })
  server.on('checkExpectation', (_incoming, outgoing) => refuse.by(outgoing, problems.MALFORMED_REQUEST))
  server.on('connect', (_incoming, socket) => {
    socket.on('error', () => {}) // Node has taken its hands off this one
    socket.end(refuse.asText(problems.METHOD_NOT_ALLOWED, { Allow: everyMethod(app) }), () =>
      socket.destroy(),
    )
  })

  return {
    server,
    async drain(milliseconds) {
      draining = true
      for (const outgoing of connections.values())
        if (outgoing && !outgoing.headersSent) outgoing.shouldKeepAlive = false
      let finished = true
      const timer = setTimeout(() => {
        finished = false
        server.closeAllConnections()
      }, milliseconds)
      const { promise, resolve } = Promise.withResolvers<void>()
      await nextTurn().then(() => nextTurn()) // reads what has arrived by now
      server.close(() => resolve())
      // Node counts a connection that never sent a byte as busy
      for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroy()
      await promise
      clearTimeout(timer)
      if (!finished) await nextTurn().then(() => nextTurn()) // what was cut writes its line
      return finished
    },
  }
}

/** What the service takes anywhere: the `Allow` of a method that Node itself does not know. */
function everyMethod(app: Hono<BaseEnv>): string {
  const methods = app.routes.map(({ method }) => method).filter((method) => method !== 'ALL')
  return [...new Set([...methods, 'HEAD', 'OPTIONS'])].join(', ')
}

function definitionOf(code: string | undefined): ProblemDefinition {
  if (code === 'HPE_HEADER_OVERFLOW') return problems.HEADERS_TOO_LARGE
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return problems.BODY_TOO_LARGE
  if (code === 'HPE_INVALID_METHOD') return problems.METHOD_NOT_ALLOWED
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return problems.REQUEST_INCOMPLETE
  return problems.MALFORMED_REQUEST
}

function refusals(format: ProblemFormat, log: Log) {
  function refusal(definition: ProblemDefinition, extra: Record<string, string>) {
    const requestId = randomUUID()
    const traceId = requestId.replaceAll('-', '')
    const empty = { detail: undefined, userMessage: undefined, errors: undefined }
    const body = JSON.stringify(format.format({ ...definition, ...empty, instance: '', traceId }))
    const headers = {
      'Content-Type': format.contentType,
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': requestId,
      ...extra,
    }
    const trace = { traceId, spanId: undefined, sampled: false }
    runInContext({ requestId, trace, method: '', path: '', reporter: {}, unfinished: [] }, () =>
      log.warn({ httpRequest: { status: definition.status } }, `Refused: ${definition.title}`),
    )
    return { body, headers }
  }

  return {
    asResponse(definition: ProblemDefinition): Response {
      const { body, headers } = refusal(definition, {})
      return new Response(body, { status: definition.status, headers })
    },
    by(outgoing: ServerResponse, definition: ProblemDefinition): void {
      const { body, headers } = refusal(definition, { Connection: 'close' })
      outgoing.writeHead(definition.status, headers).end(body)
    },
    asText(definition: ProblemDefinition, extra: Record<string, string>): string {
      const { body, headers } = refusal(definition, { ...extra, Connection: 'close' })
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      return `HTTP/1.1 ${definition.status} ${STATUS_CODES[definition.status]}\r\n${lines.join('')}\r\n${body}`
    },
  }
}
