import type { Trace } from './trace.ts'

/** What kind of work a span is, in OpenTelemetry's words. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer'

/** Attributes by OpenTelemetry's names. Values that are `undefined` are left out. */
export type SpanAttributes = Readonly<Record<string, string | number | undefined>>

/**
 * A span: work with a start and an end, in a trace. It exists only while traces are on: write `span?.end()`.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/api/#span
 */
export interface Span {
  /** Its position: its own id is the parent of what it calls. */
  readonly trace: Trace & { readonly spanId: string }
  /**
   * Starts a span below this one.
   *
   * @param name a function is called only if the span is sent
   * @param id its id, 16 digits, if others derive the same one; a random one if absent
   */
  child(name: string | (() => string), kind: SpanKind, attributes?: SpanAttributes, id?: string): Span
  /** Starts a span in another trace, which is sent whatever becomes of this one, and is linked to it. */
  follow(
    trace: { readonly traceId: string; readonly parentId: string },
    name: string,
    kind: SpanKind,
    attributes?: SpanAttributes,
  ): Span
  /** Adds attributes. */
  set(attributes: SpanAttributes): void
  /** Sends this trace's spans of the request, whether the caller has sampled them or not. */
  keep(): void
  /** Marks the work as failed: by what was thrown, or by the status of a response. */
  fail(error: unknown): void
  /** Ends the span, once. With an error, it is marked as failed. */
  end(error?: unknown): void
}
