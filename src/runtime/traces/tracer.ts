import { randomBytes } from 'node:crypto'
import { causes } from '../kernel/causes.ts'
import type { RequestContext } from '../kernel/context.ts'
import { isDatabaseError } from '../kernel/database-error.ts'
import type { Span, SpanAttributes, SpanKind } from '../kernel/span.ts'
import type { Trace } from '../kernel/trace.ts'
import { errorMessage } from '../log/error-fields.ts'
import { type EndedSpan, encodeSpan } from './encode.ts'
import type { Exporter } from './exporter.ts'

/** A request that takes longer is sent, even if its caller has not sampled it. */
const slowMs = 1_000
/** How many spans of a request are kept: a request may send thousands of statements. */
const maxSpans = 1_000

/** How a request came. */
export interface Arrival {
  /** When, as `performance.now()` says it. */
  readonly started: number
  /** The scheme that the caller used. */
  readonly scheme: 'http' | 'https'
}

/** How a request ended. */
export interface RequestEnd {
  readonly status: number
  /** The path of the contract. */
  readonly route: string | undefined
  readonly error: unknown
  /** Whether the response was a stream: that it took long says nothing. */
  readonly isStream: boolean
}

/** The spans of one request. */
export interface Recording {
  readonly span: Span
  /** Ends the span of the request, stores what is to be sent, and waits for the call that the request carries. */
  end(how: RequestEnd): Promise<void>
}

/** The spans of a trace in one request. They are sent, or left out, together. */
interface Part {
  readonly spans: RecordedSpan[]
  isKept: boolean
  /** What milliseconds since 1970 were when `performance.now()` was 0, for this request. */
  readonly originMs: number
  /** How many more spans fit. The parts of a request share it. */
  readonly room: { left: number }
  readonly others: Part[]
}

/**
 * Creates the recorder of a request's spans. The caller decides by `traceparent` whether they are sent. Spans of a task's
 * attempt, of a request that failed, that enqueued a task, or that was slow are sent in any case.
 *
 * @param options.always sends all
 */
export function createTracer({ exporter, always }: { exporter: Exporter; always: boolean }) {
  return function record(context: RequestContext, { started, scheme }: Arrival): Recording {
    const { method, path, trace: parent } = context
    const part: Part = {
      ...{ spans: [], isKept: always || parent.sampled, originMs: Date.now() - performance.now() },
      ...{ room: { left: maxSpans }, others: [] },
    }
    const attributes = { 'http.request.method': method, 'url.path': path, 'url.scheme': scheme }
    const span = new RecordedSpan(part, parent, method, 'server', attributes, {
      parentId: parent.spanId,
      started,
    })
    const carried = exporter.carry()
    return {
      span,
      async end({ status, route, error, isStream }) {
        const failed = status >= 500 || (isStream && error !== undefined)
        span.set({ 'http.route': route, 'http.response.status_code': status })
        if (route) span.rename(`${method} ${route}`)
        if (failed) span.fail(error ?? status)
        if (!isStream && performance.now() - started > slowMs) part.isKept = true
        span.end()
        for (const { spans, isKept } of [part, ...part.others])
          if (isKept) exporter.add(spans.map((recorded) => encodeSpan(recorded.ended())))
        await carried?.wait()
      },
    }
  }
}

/** A span while it is recorded. */
class RecordedSpan implements Span {
  readonly trace: Trace & { readonly spanId: string }
  readonly #part: Part
  readonly #parentId: string | undefined
  readonly #kind: SpanKind
  readonly #started: number
  readonly #link: EndedSpan['link']
  #name: string | (() => string)
  #attributes: SpanAttributes
  #error: string | undefined
  #endedAt: number | undefined

  constructor(
    part: Part,
    { traceId, sampled }: Pick<Trace, 'traceId' | 'sampled'>,
    name: string | (() => string),
    kind: SpanKind,
    attributes: SpanAttributes,
    more: {
      parentId?: string | undefined
      id?: string | undefined
      started?: number
      link?: EndedSpan['link']
    },
  ) {
    const { parentId, id = randomBytes(8).toString('hex'), started = performance.now(), link } = more
    this.trace = { traceId, spanId: id, sampled: sampled || part.isKept }
    this.#part = part
    this.#parentId = parentId
    this.#name = name
    this.#kind = kind
    this.#attributes = attributes
    this.#started = started
    this.#link = link
    if (part.room.left-- > 0) part.spans.push(this)
  }

  child(name: string | (() => string), kind: SpanKind, attributes: SpanAttributes = {}, id?: string): Span {
    return new RecordedSpan(this.#part, this.trace, name, kind, attributes, {
      parentId: this.trace.spanId,
      id,
    })
  }

  follow(
    { traceId, parentId }: { traceId: string; parentId: string },
    name: string,
    kind: SpanKind,
    attributes: SpanAttributes = {},
  ): Span {
    const { originMs, room } = this.#part
    const part: Part = { spans: [], isKept: true, originMs, room, others: [] }
    this.#part.others.push(part)
    return new RecordedSpan(part, { traceId, sampled: true }, name, kind, attributes, {
      parentId,
      link: this.trace,
    })
  }

  set(attributes: SpanAttributes): void {
    this.#attributes = { ...this.#attributes, ...attributes }
  }

  rename(name: string): void {
    this.#name = name
  }

  keep(): void {
    this.#part.isKept = true
  }

  fail(error: unknown): void {
    const isStatus = typeof error === 'number'
    this.#error ??= isStatus ? `The response has the status ${error}` : errorMessage(error)
    this.set({ 'error.type': isStatus ? `${error}` : typeOf(error) })
    if (this.#kind === 'server') this.#part.isKept = true
  }

  end(error?: unknown): void {
    this.#endedAt ??= performance.now()
    if (error !== undefined) this.fail(error)
  }

  ended(): EndedSpan {
    const { originMs } = this.#part
    return {
      ...this.trace,
      parentId: this.#parentId,
      name: typeof this.#name === 'string' ? this.#name : this.#name(),
      kind: this.#kind,
      startMs: originMs + this.#started,
      endMs: originMs + (this.#endedAt ?? performance.now()),
      attributes: this.#attributes,
      error: this.#error,
      link: this.#link,
    }
  }
}

/** What sort of error it is: PostgreSQL's code, or a name. */
function typeOf(error: unknown): string {
  const [thrown] = causes(error)
  if (isDatabaseError(thrown)) return thrown.code
  return thrown instanceof Error ? thrown.name : typeof thrown
}
