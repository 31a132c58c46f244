import { createAccessTokens } from '../google/access-tokens.ts'
import { fetchAccessToken } from '../google/metadata-server.ts'
import { sendRequest } from '../kernel/send-request.ts'
import type { SpanAttributes } from '../kernel/span.ts'
import { waitAtMost } from '../kernel/wait-at-most.ts'
import type { Log } from '../log/logger.ts'
import { encodeRequest } from './encode.ts'

/** What of the spans is in memory at most, and what one call sends. */
const maxBytes = 2 * 1024 * 1024
const maxBatchBytes = 512 * 1024
/** How long the response of the request that carries a call may wait for it. */
const carryMs = 500
/** How long one call may take. */
const callMs = 5_000
/** How long nothing is sent after a failed call: twice as long after each further one. */
const minPauseMs = 1_000
const maxPauseMs = 60_000
const retryable = new Set([429, 502, 503, 504])
/** A response to a call that was taken has no bytes, or the two of an empty `partial_success`. */
const emptyChars = 2

/** Sends spans to an OTLP receiver, only while a request runs. */
export interface Exporter {
  /** Stores encoded spans. What is too much for the memory is dropped, the oldest first. */
  add(spans: readonly Buffer[]): void
  /** Starts to send what is due, inside the request that calls this. `wait` ends it with the request. */
  carry(): { wait(): Promise<void> } | undefined
  /** Sends all, for `ms` milliseconds at most: the process ends. */
  flush(ms: number): Promise<void>
}

/**
 * Creates the exporter.
 *
 * @param options.headers of each call
 * @param options.metadataHost gives the access token that Google's own receiver needs
 * @param options.delayMs how old spans are before a request sends them
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
 */
export function createExporter(options: {
  url: string
  headers: Readonly<Record<string, string>>
  resource: SpanAttributes
  delayMs: number
  metadataHost: string
  log: Log
}): Exporter {
  const { url, headers, resource, delayMs, metadataHost, log } = options
  const isGoogle = new URL(url).hostname === 'telemetry.googleapis.com'
  const tokens = isGoogle ? createAccessTokens((signal) => fetchAccessToken(metadataHost, signal)) : undefined
  let spans: Buffer[] = []
  let bytes = 0
  let oldest = 0
  let sending: Promise<void> | undefined
  let failures = 0
  let pausedUntil = 0
  let toldPart = false

  function add(more: readonly Buffer[]): void {
    if (spans.length === 0) oldest = performance.now()
    spans.push(...more)
    for (const { length } of more) bytes += length
    trim()
  }

  function trim(): void {
    let dropped = 0
    while (bytes > maxBytes) bytes -= spans[dropped++]?.length ?? bytes
    if (dropped > 0) spans = spans.slice(dropped)
  }

  /** Takes the oldest spans that fit into a call. */
  function takeBatch(): Buffer[] {
    let count = 0
    let size = 0
    while (count < spans.length && (count === 0 || size + (spans[count]?.length ?? 0) <= maxBatchBytes))
      size += spans[count++]?.length ?? 0
    bytes -= size
    oldest = performance.now()
    return spans.splice(0, count)
  }

  async function sendBatch(signal: AbortSignal): Promise<void> {
    const batch = takeBatch()
    try {
      const token = await tokens?.get(signal)
      const {
        status,
        headers: given,
        text,
      } = await sendRequest(url, {
        method: 'POST',
        headers: {
          ...{ 'content-type': 'application/x-protobuf', ...headers },
          ...(token && { authorization: `Bearer ${token}` }),
        },
        ...{ body: encodeRequest(resource, batch), signal, maxBytes: 64 * 1024, untraced: true },
      })
      const stale = status === 401 && token !== undefined
      if (stale) tokens?.invalidate(token)
      if (status >= 200 && status < 300) return taken(text)
      const why = `${url} responded with ${status} ${text.slice(0, 200)}`
      fail(why, stale || retryable.has(status) ? batch : [], Number(given['retry-after']) * 1000 || 0)
    } catch (err) {
      fail(`${url} has not taken them in time: ${err instanceof Error ? err.message : ''}`, batch)
    }
  }

  /** Says once that the receiver has left out spans: its `partial_success`. It must not get them again. */
  function taken(response: string): void {
    failures = 0
    if (response.length <= emptyChars || toldPart) return
    toldPart = true
    log.warn(
      `${url} has left out spans: ${response
        .replace(/[^\x20-\x7e]+/g, ' ')
        .trim()
        .slice(0, 200)}`,
    )
  }

  /** Keeps the batch for a later call, and pauses: for longer if the receiver asks for it, but for a minute at most. */
  function fail(why: string, batch: Buffer[], askedMs = 0): void {
    spans = [...batch, ...spans]
    for (const { length } of batch) bytes += length
    trim()
    const pauseMs = Math.max(askedMs, minPauseMs * 2 ** failures++)
    pausedUntil = performance.now() + Math.min(maxPauseMs, pauseMs)
    const what =
      batch.length > 0 ? 'they are kept as long as there is room' : 'those of this call are dropped'
    if (failures === 1) log.warn(`Traces could not be sent; ${what}: ${why}`)
  }

  function start(signal: AbortSignal): Promise<void> {
    sending = sendBatch(signal).finally(() => {
      sending = undefined
    })
    return sending
  }

  return {
    add,
    carry() {
      const now = performance.now()
      const due = spans.length > 0 && (now - oldest >= delayMs || bytes > maxBatchBytes)
      if (!due || sending || now < pausedUntil) return undefined
      const end = new AbortController()
      const timer = setTimeout(() => end.abort(new Error(`${callMs} ms have passed`)), callMs)
      const sent = start(end.signal)
      return {
        async wait() {
          if (!(await waitAtMost(carryMs, sent)))
            end.abort(new Error('The request that carried them is over'))
          await sent
          clearTimeout(timer)
        },
      }
    },
    async flush(ms) {
      const end = new AbortController()
      const timer = setTimeout(() => end.abort(new Error('The process ends')), ms)
      if (sending) await waitAtMost(ms, sending)
      for (failures = 0; spans.length > 0 && failures === 0; ) await start(end.signal)
      clearTimeout(timer)
    },
  }
}
