import { randomBytes, randomUUID } from 'node:crypto'

/** The position of a request in a distributed trace. The ids are in lower-case hexadecimal. */
export interface Trace {
  readonly traceId: string
  readonly spanId: string | undefined
  readonly sampled: boolean
}

const traceparentPattern = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-|$)/
const cloudTracePattern = /^(?!0{32})([\da-f]{32})(?:\/(\d{1,20}))?(?:;o=([01]))?$/i

/**
 * Reads the trace of a request from W3C's `traceparent`, or else from Google's older `X-Cloud-Trace-Context`
 * (`TRACE/SPAN;o=1`, with a decimal span id). If neither is usable, it starts a new trace.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 * @see https://cloud.google.com/trace/docs/trace-context
 */
export function parseTrace(traceparent: string | undefined, cloudTraceContext: string | undefined): Trace {
  const w3c = traceparent && traceparentPattern.exec(traceparent)
  if (w3c) {
    const [, traceId = '', spanId, flags = '00'] = w3c
    return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
  }
  const google = cloudTraceContext && cloudTracePattern.exec(cloudTraceContext)
  if (google) {
    const [, traceId = '', span, sampled] = google
    return { traceId: traceId.toLowerCase(), spanId: span && hexSpan(span), sampled: sampled === '1' }
  }
  return { traceId: randomUUID().replaceAll('-', ''), spanId: undefined, sampled: false }
}

/** The `traceparent` for a call to another service: its own span, or else a new one. */
export function traceparent({ traceId, sampled }: Trace, spanId = randomBytes(8).toString('hex')): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

function hexSpan(decimal: string): string | undefined {
  const hex = BigInt(decimal).toString(16).padStart(16, '0')
  return hex.length === 16 && hex !== '0'.repeat(16) ? hex : undefined
}
