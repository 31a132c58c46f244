import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Context } from 'hono'
import { bodyFirst, defaultContentType } from './default-content-type.ts'
import type { BaseEnv } from './env.ts'
import { reserveResponse } from './request-memory.ts'
import { stateOf } from './request-state.ts'
import { bodyLength, latestBodyLength, replaceBody, replaceResponse, setNoBody } from './response.ts'
import { checkHead } from './response-head.ts'

/** Headers that are removed: the server frames the body, and a `Response` cannot have trailers. */
const framingHeaders = ['transfer-encoding', 'trailer']

/** A body that is available at once, up to this size, is sent as a whole. A larger one is a stream. */
const promptBytes = 64 * 1024

/**
 * Checks that the response can be sent, while it can still be replaced by a problem. A body that is available at once is
 * read, and gets its length. Of a stream, the first chunk is awaited, so that a failure before it is a problem. (The head
 * of an event stream is sent at once.)
 *
 * @param wholeBytes waits for the whole body, if it has at most this size. If absent, only what is available at once is read
 * @throws {Error} naming what cannot be sent; the error of the body
 */
export async function prepareResponse(c: Context<BaseEnv>, wholeBytes?: number): Promise<void> {
  const { res } = c
  const toHead = c.req.method === 'HEAD'
  const length = bodyLength(c)
  if (length !== undefined) return checkHead(res, length, toHead)
  bodyFirst(res)
  checkHead(res)
  if (stateOf(c).stream?.response === res) return
  const { status } = res
  const headers = new Headers(res.headers)
  const wrong = framingHeaders.filter((name) => headers.has(name))
  // if a middleware replaces the response, Hono copies the headers of the previous one
  if (headers.get('content-length') === String(latestBodyLength(c)))
    wrong.push('content-length', ...(res.body ? [] : ['content-type']))
  for (const name of wrong) headers.delete(name)
  if (!res.body) {
    checkHead({ status, headers }, 0, toHead)
    if (wrong.length > 0) replaceResponse(c, new Response(null, { status, headers }))
    return setNoBody(c)
  }
  if (!headers.has('content-type')) headers.set('Content-Type', defaultContentType)
  const { chunks, rest } = await readAvailable(res, { signal: c.get('signal'), wholeBytes })
  if (rest) {
    const response = new Response(rest, { status, headers })
    stateOf(c).stream = { ...stateOf(c).stream, response }
    return replaceResponse(c, response)
  }
  const bytes = Buffer.concat(chunks)
  reserveResponse(c, bytes.length)
  checkHead({ status, headers }, bytes.length)
  replaceBody(c, bytes, { status, headers })
}

/** Whether the response is a stream of server-sent events. Such a stream does not end by itself. */
export function isEventStream({ headers }: Response): boolean {
  return /^text\/event-stream\b/i.test(headers.get('content-type') ?? '')
}

/** The bytes of a chunk, which may also be text. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk === 'string') return Buffer.from(chunk)
  throw new TypeError('A stream’s chunks must be strings or bytes.')
}

/** Reads what is available of a body, at least its first chunk. If there is more, `rest` is the whole stream. */
async function readAvailable(
  response: Response,
  { signal, wholeBytes }: { signal: AbortSignal | undefined; wholeBytes: number | undefined },
) {
  const reader = (response.body as ReadableStream<unknown>).getReader()
  const stop = () => void reader.cancel(signal?.reason).catch(() => {})
  signal?.addEventListener('abort', stop)
  try {
    const chunks: Uint8Array[] = []
    let size = 0
    let next = reader.read()
    if (!isEventStream(response)) await next
    const most = wholeBytes ?? promptBytes
    const fits = () => chunks.length < 2 || size <= most // a text is one chunk, however long
    const come = (read: typeof next) => (wholeBytes === undefined ? soon(read) : read)
    for (let read = await come(next); read && fits(); read = await come(next)) {
      signal?.throwIfAborted() // the end of a cancelled body is not its real end
      if (read.done) return { chunks }
      const bytes = bytesOf(read.value)
      chunks.push(bytes)
      size += bytes.length
      next = reader.read()
    }
    return { chunks: [], rest: joined(chunks, next, reader) }
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function soon<Value>(value: Promise<Value>): Promise<Value | undefined> {
  return Promise.race([value, nextTurn(undefined)])
}

/** A stream of the chunks that were read, followed by the rest. It reads only on demand. */
function joined(
  chunks: Uint8Array[],
  next: ReturnType<typeof reader.read>,
  reader: ReadableStreamDefaultReader<unknown>,
): ReadableStream<Uint8Array> {
  let waiting: typeof next | undefined = next
  next.catch(() => {}) // `pull` throws it
  return new ReadableStream(
    {
      async pull(controller) {
        const chunk = chunks.shift()
        if (chunk) return controller.enqueue(chunk)
        const { done, value } = await (waiting ?? reader.read())
        waiting = undefined
        if (done) controller.close()
        else controller.enqueue(bytesOf(value))
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
