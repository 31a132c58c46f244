import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import protobuf from 'protobufjs'
import { atEnd } from './at-end.ts'

/** A span as a receiver gets it. Ids are in hexadecimal, times in nanoseconds. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: string
  readonly start: bigint
  readonly end: bigint
  readonly attributes: Readonly<Record<string, unknown>>
  readonly status: { readonly code?: string; readonly message?: string }
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly flags: number
}

/** A receiver of traces over OTLP/HTTP, which reads them by OpenTelemetry's own schema. */
export interface Receiver {
  readonly url: string
  readonly spans: ReceivedSpan[]
  /** What the last call said of its service. */
  readonly resource: Record<string, unknown>
  readonly calls: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly bytes: number }[]
  /** Responds in place of a 200. */
  respond: ((response: ServerResponse) => void) | undefined
  /** Called when a call arrives. */
  onCall: (() => void) | undefined
}

interface KeyValue {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}
interface Message {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] }
    readonly scopeSpans: readonly { readonly spans: readonly Record<string, never>[] }[]
  }[]
}

/** Starts one; it ends with the file. */
export async function otlpReceiver(): Promise<Receiver> {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, path) => `test/traces/${path.replace(/^test\/traces\//, '')}`
  await root.load('opentelemetry/proto/collector/trace/v1/trace_service.proto')
  const type = root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest')
  const receiver: Receiver = {
    ...{ url: '', spans: [], resource: {}, calls: [], respond: undefined, onCall: undefined },
  }
  const server = createServer(async (request, response) => {
    receiver.onCall?.()
    const body = await buffer(request).catch(() => undefined)
    if (!body) return // the caller has left
    receiver.calls.push({ path: `${request.url}`, headers: request.headers, bytes: body.length })
    if (receiver.respond) return receiver.respond(response)
    const decoded = type.toObject(type.decode(body), {
      enums: String,
      longs: String,
      bytes: Buffer,
      arrays: true,
    })
    for (const { resource, scopeSpans } of (decoded as unknown as Message).resourceSpans) {
      Object.assign(receiver.resource, read(resource.attributes))
      for (const { spans } of scopeSpans) receiver.spans.push(...spans.map(toSpan))
    }
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return Object.assign(receiver, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

const hex = (bytes: Buffer | undefined) => (bytes ? Buffer.from(bytes).toString('hex') : '')

function toSpan(span: Record<string, never>): ReceivedSpan {
  const { traceId, spanId, parentSpanId, startTimeUnixNano, endTimeUnixNano, attributes, links, ...rest } =
    span
  return {
    ...(rest as unknown as { name: string; kind: string; flags: number }),
    status: span.status ?? {},
    ...{ traceId: hex(traceId), spanId: hex(spanId), parentSpanId: hex(parentSpanId) },
    ...{
      start: BigInt(startTimeUnixNano ?? 0),
      end: BigInt(endTimeUnixNano ?? 0),
      attributes: read(attributes ?? []),
    },
    links: ((links ?? []) as { traceId: Buffer; spanId: Buffer }[]).map((link) => ({
      ...{ traceId: hex(link.traceId), spanId: hex(link.spanId) },
    })),
  }
}

function read(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [kind = '', given] = Object.entries(value)[0] ?? []
      return [key, kind === 'intValue' ? Number(given) : given]
    }),
  )
}
