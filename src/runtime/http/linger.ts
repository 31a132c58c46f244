import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/**
 * How long a client may pause while the rest of its body is discarded, and how long discarding may take in total: nginx's
 * `lingering_timeout` and `lingering_time`.
 *
 * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_time
 */
const pauseMs = 5_000
const totalMs = 30_000
/** Twice the limit of Cloud Run for a request over HTTP/1. https://cloud.google.com/run/quotas */
const discardBytes = 64 * 1024 * 1024

/**
 * After so many chunks, the chunks must have this size on average, in bytes. A body in chunks of one byte costs far more
 * CPU than its size suggests.
 */
const freePieces = 4_096
const minPieceBytes = 32

/** Runs a function outside the context of any request: the response is sent, only the connection is left. */
const outsideRequests = AsyncLocalStorage.snapshot()

/** The sockets that linger, with what each may still send. */
const limits = new WeakMap<Socket, { readonly start: number; readonly time: number; pieces: number }>()

/** Whether the socket has got its last response, and its further bytes are discarded. */
export function isLingering(socket: Socket): boolean {
  return limits.has(socket)
}

/**
 * Closes a connection whose client is still sending: closes the writing side, then reads and discards what arrives. If a
 * connection is closed with unread bytes, TCP resets it, and the client may lose the response.
 *
 * @param incoming the request whose body is left; absent if the bytes belong to no request
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export function linger(socket: Socket, incoming?: IncomingMessage): void {
  if (limits.has(socket) || socket.destroyed) return
  limits.set(socket, { start: socket.bytesRead, time: performance.now() + totalMs, pieces: 0 })
  outsideRequests(() => socket.setTimeout(pauseMs, () => socket.destroy()))
  socket.end()
  if (!incoming)
    return void socket.on('data', () => countDiscarded(socket)).once('end', () => socket.destroy())
  if (incoming.complete) return void closeWhenSent(socket)
  incoming.removeAllListeners('data') // the reader has stopped, and would block the rest
  incoming.on('data', () => countDiscarded(socket))
  incoming.once('end', () => closeWhenSent(socket))
  incoming.resume()
}

/** Counts discarded bytes. Closes a socket that sends too much, in chunks that are too small, or for too long. */
export function countDiscarded(socket: Socket): void {
  const limit = limits.get(socket)
  if (!limit) return
  const bytes = socket.bytesRead - limit.start
  const isTiny = ++limit.pieces > freePieces && bytes < limit.pieces * minPieceBytes
  if (isTiny || bytes > discardBytes || performance.now() > limit.time) socket.destroy()
}

function closeWhenSent(socket: Socket): void {
  if (socket.writableFinished) socket.destroy()
  else socket.once('finish', () => socket.destroy())
}
