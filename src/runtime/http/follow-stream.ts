import { AsyncLocalStorage } from 'node:async_hooks'
import type { Context } from 'hono'
import { ClientLeft, clientLeft } from './client-left.ts'
import type { BaseEnv } from './env.ts'
import { isEventStream } from './settle.ts'
import type { StreamedResponse } from './streamed-response.ts'

/** How long a stream may take to end by itself, once its signal has aborted. */
const graceMs = 1000
/** How long a download goes on when the process is told to stop, of the 8 s that the drain waits. */
const downloadMs = 5000

/** How a stream ended: by itself where nothing but its bytes is stated. */
export interface StreamEnd {
  /** What was handed to the connection. */
  readonly bytes: number
  /** The client went away. */
  readonly left?: boolean
  /** Why it was ended for it. */
  readonly stopped?: string
  /** What its source threw. */
  readonly error?: unknown
}

/** What stands for a source that threw `undefined`. */
const nothing = () => new Error('The stream’s source threw, but no error')

/**
 * Follows a streamed response to its end, whichever comes first: its own, that of the client's interest, the
 * request's deadline, or the process's. The last two abort the signal, and what does not end by itself within a
 * second is ended: an event stream in good order, anything else so that the client sees that it is not whole.
 *
 * @param options.stopping aborts when the process is told to stop: event streams are told at once, others go on for 5 s
 * @param options.onEnd called once, before the last byte or the cut
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

  /** Ends it from outside, once. */
  async function stop(how: Omit<StreamEnd, 'bytes'>): Promise<void> {
    if (ended) return
    const ending = end(how)
    void inContext(() => reader.cancel(signal.reason)).catch(() => {})
    await ending
    const slow = outgoing?.writableNeedDrain // would hold the connection for as long as it does not read
    if (endless && !how.error && !how.left && !slow) out?.close()
    else if (outgoing) outgoing.destroy()
    else out?.error(new Error('The response was cut off'))
  }

  function leave(): Promise<void> {
    const stopped = stop({ left: true })
    abort?.(new ClientLeft('The client left'))
    return stopped
  }

  function onAbort(): void {
    if (clientLeft(c)) return void leave()
    clearTimeout(timer)
    timer = setTimeout(() => stop({ stopped: String(signal.reason?.message) }), graceMs)
  }

  function onStop(): void {
    const why = new Error('The process stops')
    const tell = () => (abort ? abort(why) : void stop({ stopped: why.message }))
    if (endless) tell()
    else if (!signal.aborted) timer = setTimeout(tell, downloadMs) // else its second runs already
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
            signal.aborted ? { stopped: String(signal.reason?.message) } : { error: error ?? nothing() },
          )
        }
      },
      cancel: () => leave(),
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { status: response.status, headers: response.headers })
}
