import { AsyncLocalStorage } from 'node:async_hooks'
import type { Context } from 'hono'
import { ClientDisconnectedError, isClientDisconnected } from './client-disconnect.ts'
import type { BaseEnv } from './env.ts'
import { isEventStream } from './prepare-response.ts'
import type { StreamedResponse } from './streamed-response.ts'

/** How long a stream may take to end by itself after its signal has aborted. */
const graceMs = 1000
/** How long a download may continue while the process stops. The process waits 8 s for its requests. */
const downloadGraceMs = 5000

/** How a stream ended. If only `bytes` is given, it ended by itself. */
export interface StreamEnd {
  /** How many bytes were given to the connection. */
  readonly bytes: number
  /** The client disconnected. */
  readonly disconnected?: boolean
  /** Why the service ended it. */
  readonly stopReason?: string
  /** What its source threw. */
  readonly error?: unknown
}

/** Stands for the error of a source that threw `undefined`. */
const noError = () => new Error('The stream’s source threw a value that is not an error')

/**
 * Follows a streamed response to its end. It ends by itself, when the client disconnects, at the request's deadline, or
 * when the process stops. The last two abort the signal. If the stream has not ended a second later, it is ended here. An
 * event stream is closed. Any other stream is cut, so that the client sees that it is incomplete.
 *
 * @param options.stopping aborts when the process stops. Event streams end at once, others continue for 5 s
 * @param options.onEnd is called once, before the last byte or the cut
 * @returns the response to send
 */
export function followStream(
  c: Context<BaseEnv>,
  { response, abort, release }: StreamedResponse,
  options: { stopping: AbortSignal; onEnd: (end: StreamEnd) => Promise<void> },
): Response {
  const { stopping, onEnd } = options
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const inContext = AsyncLocalStorage.snapshot()
  const { outgoing } = c.env ?? {}
  const signal = c.get('signal') ?? new AbortController().signal
  const endless = isEventStream(response)
  const stated = response.headers.get('content-length')
  let out: ReadableStreamDefaultController<Uint8Array> | undefined
  let timer: NodeJS.Timeout | undefined
  let bytes = 0
  let ended = false

  function end(how: Omit<StreamEnd, 'bytes'> = {}): Promise<void> {
    ended = true
    clearTimeout(timer)
    stopping.removeEventListener('abort', onStop)
    signal.removeEventListener('abort', onAbort)
    release?.()
    return inContext(onEnd, { bytes, ...how })
  }

  /** Ends the stream from outside, once. */
  async function stop(how: Omit<StreamEnd, 'bytes'>): Promise<void> {
    if (ended) return
    const ending = end(how)
    void inContext(() => reader.cancel(signal.reason)).catch(() => {})
    await ending
    const slow = outgoing?.writableNeedDrain // a client that does not read would keep the connection open
    if (endless && !how.error && !how.disconnected && !slow) out?.close()
    else if (outgoing) outgoing.destroy()
    else out?.error(new Error('The response was cut off'))
  }

  function onDisconnect(): Promise<void> {
    const stopped = stop({ disconnected: true })
    abort?.(new ClientDisconnectedError('The client left'))
    return stopped
  }

  function onAbort(): void {
    if (isClientDisconnected(c)) return void onDisconnect()
    clearTimeout(timer)
    timer = setTimeout(() => stop({ stopReason: String(signal.reason?.message) }), graceMs)
  }

  function onStop(): void {
    const why = new Error('The process stops')
    const tell = () => (abort ? abort(why) : void stop({ stopReason: why.message }))
    if (endless) tell()
    else if (!signal.aborted) timer = setTimeout(tell, downloadGraceMs) // otherwise it was asked to end already
  }

  signal.addEventListener('abort', onAbort)
  stopping.addEventListener('abort', onStop)
  if (stopping.aborted) onStop()

  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        out = controller
      },
      async pull(controller) {
        try {
          const { done, value } = await inContext(() => reader.read())
          if (ended) return
          bytes += value?.length ?? 0
          if (stated !== null && (done ? bytes !== Number(stated) : bytes > Number(stated)))
            throw new Error(
              `The response’s Content-Length is ${stated}, but its stream is of another length.`,
            )
          if (!done) return controller.enqueue(value)
          await end()
          controller.close()
        } catch (error) {
          await stop(
            signal.aborted ? { stopReason: String(signal.reason?.message) } : { error: error ?? noError() },
          )
        }
      },
      cancel: () => onDisconnect(),
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { status: response.status, headers: response.headers })
}
