import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/**
 * How long a client may pause while its rest is discarded, and how long that takes in all: nginx's `lingering_timeout`
 * and `lingering_time`.
 *
 * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_time
 */
const pauseMs = 5_000
const totalMs = 30_000
/** Twice what Cloud Run lets through in a request over HTTP/1. https://cloud.google.com/run/quotas */
const discardBytes = 64 * 1024 * 1024

/** Beyond so many pieces, they have so many bytes on average: a body in chunks of a byte costs far more than its bytes. */
const freePieces = 4_096
const leastPieceBytes = 32

/** Runs something outside any request: its response is out, and the client is still sending. */
const ofTheConnection = AsyncLocalStorage.snapshot()

/** The sockets that linger, with what each may still send before it is cut. */
const limits = new WeakMap<Socket, { readonly start: number; readonly time: number; pieces: number }>()

/** Whether the socket has had its last response, and is only read on. */
export function lingers(socket: Socket): boolean {
  return limits.has(socket)
}

/**
 * Ends a connection whose client is still sending: says that nothing more comes, then reads on and discards. A
 * connection that is closed with unread bytes is reset, and the reset overtakes the response.
 *
 * @param incoming the request whose body is left; absent where the bytes are no request's
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export function linger(socket: Socket, incoming?: IncomingMessage): void {
  if (limits.has(socket) || socket.destroyed) return
  limits.set(socket, { start: socket.bytesRead, time: performance.now() + totalMs, pieces: 0 })
  ofTheConnection(() => socket.setTimeout(pauseMs, () => socket.destroy()))
  socket.end()
  if (!incoming)
    return void socket.on('data', () => countDiscarded(socket)).once('end', () => socket.destroy())
  if (incoming.complete) return void closeWhenSent(socket)
  incoming.removeAllListeners('data') // the reader has given up, and would hold the rest up
  incoming.on('data', () => countDiscarded(socket))
  incoming.once('end', () => closeWhenSent(socket))
  incoming.resume()
}

/** Cuts a lingering socket that has sent more, in smaller pieces, or for longer, than a client in good faith. */
export function countDiscarded(socket: Socket): void {
  const limit = limits.get(socket)
  if (!limit) return
  const bytes = socket.bytesRead - limit.start
  const isTiny = ++limit.pieces > freePieces && bytes < limit.pieces * leastPieceBytes
  if (isTiny || bytes > discardBytes || performance.now() > limit.time) socket.destroy()
}

function closeWhenSent(socket: Socket): void {
  if (socket.writableFinished) socket.destroy()
  else socket.once('finish', () => socket.destroy())
}
