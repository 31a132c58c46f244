import type { IncomingMessage } from 'node:http'
import { ClientDisconnectedError } from './client-disconnect.ts'

/** The bytes of a body, in a buffer of their own. */
export type BodyBytes = Uint8Array<ArrayBuffer>

/**
 * Reads the body of Node's request, once. It stops at the end, when the signal aborts, or when `count` throws.
 *
 * @param options.length the size in bytes, if the request has a Content-Length
 * @param options.count is called with the size of each chunk before the chunk is kept. It may throw
 * @throws what `count` threw; the signal's reason; `ClientDisconnectedError`; a `TypeError` if the body was read before
 */
export function readIncoming(
  incoming: IncomingMessage,
  options: { length?: number; count?: (bytes: number) => void; signal: AbortSignal },
): Promise<BodyBytes> {
  const { length, count, signal } = options
  if (incoming.readableDidRead) return Promise.reject(new TypeError('The body was read before'))
  const { promise, resolve, reject } = Promise.withResolvers<BodyBytes>()
  const body = collector(length)

  function stop(): void {
    incoming.off('data', onData).off('end', onEnd).off('error', fail).off('close', onClose)
    signal.removeEventListener('abort', onAbort)
  }
  function fail(error: unknown): void {
    stop()
    incoming.pause() // the connection discards the rest
    reject(error)
  }
  function onData(chunk: Uint8Array): void {
    try {
      count?.(chunk.length)
      body.add(chunk)
    } catch (refused) {
      fail(refused)
    }
  }
  function onEnd(): void {
    stop()
    const bytes = body.whole()
    Object.assign(incoming, { rawBody: Buffer.from(bytes.buffer) }) // node-server's Request reads it from there
    resolve(bytes)
  }
  const onClose = () =>
    fail(new ClientDisconnectedError('The client disconnected before its body had arrived'))
  const onAbort = () => fail(signal.reason)

  if (signal.aborted) onAbort()
  else if (incoming.destroyed) onClose()
  else {
    signal.addEventListener('abort', onAbort)
    incoming.on('data', onData).on('end', onEnd).on('error', fail).on('close', onClose)
  }
  return promise
}

/** Reads a stream of bytes to its end, or until `count` throws. */
export async function readStream(
  stream: ReadableStream<Uint8Array>,
  count: (bytes: number) => void,
): Promise<BodyBytes> {
  const body = collector()
  for await (const chunk of stream) {
    count(chunk.length)
    body.add(chunk)
  }
  return body.whole()
}

/** Collects chunks in one buffer. As separate buffers, chunks of one byte would take two hundred times as much memory. */
function collector(length = 0) {
  let bytes = new Uint8Array(length)
  let size = 0
  return {
    add(chunk: Uint8Array): void {
      const next = size + chunk.length
      if (next > bytes.length) bytes = new Uint8Array(bytes.buffer.transfer(2 * next))
      bytes.set(chunk, size)
      size = next
    },
    whole: (): BodyBytes => (size === bytes.length ? bytes : new Uint8Array(bytes.buffer.transfer(size))),
  }
}
