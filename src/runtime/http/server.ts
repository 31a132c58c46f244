import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { Hono } from 'hono'
import { type ProblemDefinition, problems } from '../kernel/problem.ts'
import type { Log } from '../log/logger.ts'
import { reportError } from '../log/report.ts'
import type { BaseEnv } from './env.ts'
import { countDiscarded, isLingering, linger } from './linger.ts'
import { lingeringResponse } from './lingering-response.ts'
import type { ProblemFormat } from './problem-format.ts'
import { fixedHeaders, type ResponseHeaders } from './response-headers.ts'
import { serverProblems } from './server-problems.ts'

/** In milliseconds. Google's front end keeps idle connections for 600 s. If ours ended earlier, it would respond with 502. */
const keepAliveTimeout = 620_000
/** In milliseconds. It must be above the keep-alive, because Node counts a connection's idle time as time for headers. */
const headersTimeout = 630_000

/** A server that can stop without losing a request. */
export interface DrainableServer {
  readonly server: Server
  /**
   * Stops the server: it accepts no more connections, and finishes the requests in flight. Requests that have not finished
   * after `milliseconds` are cut.
   *
   * @returns whether all requests finished by themselves
   */
  drain(milliseconds: number): Promise<boolean>
}

/**
 * Creates the server of the app, over HTTP/1.1. Requests that Node refuses before the app (a malformed request, headers
 * over 16 KiB) get a problem too.
 *
 * @see https://cloud.google.com/load-balancing/docs/https#timeouts_and_retries
 * @example
 * const { server, drain } = createHttpServer({ app, format: problemDetails, log })
 * server.listen(config.PORT)
 * process.on('SIGTERM', () => void drain(8_000))
 */
export function createHttpServer(options: {
  app: Hono<BaseEnv>
  format: ProblemFormat
  /** The service's own headers of every response. What the server refuses itself has only those that are text. */
  headers?: ResponseHeaders
  log: Log
}): DrainableServer {
  const { app, format, log } = options
  const refuse = serverProblems(format, log, fixedHeaders(options.headers))
  const listener = getRequestListener(app.fetch, {
    hostname: 'localhost', // for HTTP/1.0 without a Host header
    async errorHandler(error) {
      if (error instanceof RequestError) return refuse.asResponse(problems.MALFORMED_REQUEST)
      log.error({ err: error }, problems.INTERNAL.title)
      await reportError(error)
      return refuse.asResponse(problems.INTERNAL)
    },
  })
  /** All connections, with the last response that each has not finished. */
  const connections = new Map<Socket, ServerResponse | undefined>()
  /** Connections with malformed bytes after a request that is still running. */
  const waiting = new WeakSet<Socket>()
  /** Requests that got their response before their body had arrived. */
  const unread = new WeakMap<Socket, IncomingMessage>()
  let draining = false

  const server = createServer(
    // without Node's own check of the Host header: its response has no body
    {
      ...{ keepAliveTimeout, headersTimeout, requestTimeout: headersTimeout, requireHostHeader: false },
      ServerResponse: lingeringResponse(refuse, log),
    },
    (incoming: IncomingMessage, outgoing: ServerResponse) => {
      const hosts = countHosts(incoming.rawHeaders)
      if (hosts > 1 || (hosts === 0 && incoming.httpVersion === '1.1')) {
        return refuse.send(outgoing, problems.MALFORMED_REQUEST)
      }
      const { socket } = incoming
      connections.set(socket, outgoing)
      outgoing.shouldKeepAlive &&= !draining
      outgoing.once('close', () => {
        if (connections.get(socket) === outgoing) connections.set(socket, undefined)
        if (!incoming.complete) unread.set(socket, incoming)
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
    const ended = error.code === 'ECONNRESET' || error.code === 'HPE_INVALID_EOF_STATE'
    if (isLingering(socket) && !ended) return countDiscarded(socket) // every further chunk is an error
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const busy = connections.get(socket)
    if (busy?.req.complete) {
      // earlier requests of the connection get their responses first
      if (!waiting.has(socket)) busy.once('close', () => socket.writable && refuseBytes(error, socket))
      return void waiting.add(socket)
    }
    const left = error.code === 'HPE_INVALID_EOF_STATE' // the client closed in the middle of a body: the request's own entry says so
    const started = busy && (busy.headersSent || !busy.socket) // without a socket, it waits for an earlier response
    const responded = unread.get(socket)?.complete === false // it has its response already; only the rest of its body is malformed
    if (started || responded || (busy && left)) return void socket.destroy()
    refuseBytes(error, socket)
  })
  function refuseBytes(error: NodeJS.ErrnoException, socket: Socket): void {
    const headers = error.code === 'HPE_INVALID_METHOD' ? { Allow: everyMethod(app) } : {}
    socket.write(refuse.asText(definitionOf(error.code), headers))
    linger(socket)
  }
  server.on('checkExpectation', (_incoming, outgoing) => refuse.send(outgoing, problems.MALFORMED_REQUEST))
  server.on('connect', (_incoming, socket: Socket) => {
    socket.on('error', () => {}) // Node no longer handles this socket
    socket.write(refuse.asText(problems.METHOD_NOT_ALLOWED, { Allow: everyMethod(app) }))
    linger(socket)
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
        const requests = [...connections.values()].filter((outgoing) => outgoing !== undefined).map(nameOf)
        log.warn({ requests }, 'Unfinished requests are cut') // a handler that never ends writes no entry of its own
        server.closeAllConnections()
      }, milliseconds)
      const { promise, resolve } = Promise.withResolvers<void>()
      await nextTurn().then(() => nextTurn()) // reads the requests that have arrived by now
      server.close(() => resolve())
      // Node counts a connection that never sent a byte as busy
      for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroy()
      await promise
      clearTimeout(timer)
      if (!finished) await nextTurn().then(() => nextTurn()) // the cut requests write their entries
      return finished
    },
  }
}

/** A request as the log shows it, without its query. */
function nameOf({ req }: ServerResponse): string {
  return `${req.method} ${req.url?.split('?', 1)[0]}`
}

/** @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2 */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count
}

/** All methods of the service: the `Allow` for a method that Node itself does not know. */
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
