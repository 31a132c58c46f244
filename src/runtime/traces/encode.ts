import type { SpanAttributes, SpanKind } from '../kernel/span.ts'
import { bytes, double, message, text, uint, uint32, uint64 } from './protobuf.ts'

/** A span that has ended. Ids are in hexadecimal, times in milliseconds since 1970. */
export interface EndedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  readonly name: string
  readonly kind: SpanKind
  readonly startMs: number
  readonly endMs: number
  readonly attributes: SpanAttributes
  /** What failed. */
  readonly error: string | undefined
  readonly link: { readonly traceId: string; readonly spanId: string } | undefined
  readonly sampled: boolean
}

/** The numbers of SpanKind. */
const kinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const
const statusError = 2
const hex = (id: string) => Buffer.from(id, 'hex')

/**
 * Encodes a span as a field of `ScopeSpans`.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
export function encodeSpan(span: EndedSpan): Buffer {
  const { traceId, spanId, parentId, name, kind, startMs, endMs, attributes, error, link, sampled } = span
  return message(
    2,
    bytes(1, hex(traceId)),
    bytes(2, hex(spanId)),
    ...(parentId ? [bytes(4, hex(parentId))] : []),
    text(5, name),
    uint(6, kinds[kind]),
    uint64(7, nanoseconds(startMs)),
    uint64(8, nanoseconds(endMs)),
    ...encodeAttributes(9, attributes),
    ...(link ? [message(13, bytes(1, hex(link.traceId)), bytes(2, hex(link.spanId)))] : []),
    ...(error === undefined ? [] : [message(15, text(2, error), uint(3, statusError))]),
    uint32(16, sampled ? 1 : 0),
  )
}

/**
 * Encodes an `ExportTraceServiceRequest`: the spans of one service.
 *
 * @param spans what `encodeSpan` has encoded
 */
export function encodeRequest(resource: SpanAttributes, spans: readonly Buffer[]): Buffer {
  const scope = message(1, text(1, '#runtime'))
  return message(1, message(1, ...encodeAttributes(1, resource)), message(2, scope, ...spans))
}

function encodeAttributes(field: number, attributes: SpanAttributes): Buffer[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [message(field, text(1, key), message(2, encodeValue(value)))],
  )
}

function encodeValue(value: string | number): Buffer {
  if (typeof value === 'string') return value === '' ? message(1) : text(1, value)
  return Number.isSafeInteger(value) && value >= 0 ? uint(3, value) : double(4, value)
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n
}
