import type { IncomingMessage } from 'node:http'
import { ClientLeft } from './client-left.ts'

/** The bytes of a body, in memory of their own. */
export type BodyBytes = Uint8Array<ArrayBuffer>

/**
 * Reads the body of Node's request, once, and no further than its end, the signal, or what `count` refuses.
 *
 * @param options.length bytes, where the request states them
 * @param options.count is told of each chunk's bytes before it is kept, and may throw
 * @throws what `count` threw, the signal's reason, `ClientLeft`; a `TypeError` where it was read before
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
    incoming.pause() // the rest is the connection's to discard
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
    Object.assign(incoming, { rawBody: Buffer.from(bytes.buffer) }) // where node-server's Request looks for it
    resolve(bytes)
  }
  const onClose = () => fail(new ClientLeft('The client left before its body had arrived'))
  const onAbort = () => fail(signal.reason)

  if (signal.aborted) onAbort()
  else if (incoming.destroyed) onClose()
  else {
    signal.addEventListener('abort', onAbort)
    incoming.on('data', onData).on('end', onEnd).on('error', fail).on('close', onClose)
  }
  return promise
}

/** Reads a stream of bytes to its end, or to what `count` refuses. */
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

/** Puts chunks into one piece of memory: kept apart, chunks of a byte would take two hundred times as much. */
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
