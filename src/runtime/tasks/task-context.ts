import { type ContextTask, currentRequest, type RequestContext, runInContext } from '../kernel/context.ts'
import type { Span, SpanAttributes } from '../kernel/span.ts'
import type { Trace } from '../kernel/trace.ts'
import type { TaskRow } from './table.ts'

type Origin = Pick<TaskRow, 'id' | 'name' | 'attempts' | 'requestId' | 'traceId' | 'subject' | 'batchId'>

/** Lets the log entry of this request, a callback, name the task, the trace that it belongs to, and what became of it. */
export function labelRequest(task: ContextTask): void {
  const request = currentRequest()
  if (request) request.task = task
}

/**
 * Runs `work` in the context of the request that enqueued the task: its trace, its request id, its caller's subject.
 *
 * @param span the span of the attempt, if traces are on
 */
export function runInTaskContext<Result>(row: Origin, work: () => Result, span?: Span): Result {
  const request = currentRequest()
  if (!request) return work()
  const { id, name, attempts, requestId, subject } = row
  return runInContext(
    {
      ...request,
      requestId: requestId ?? request.requestId,
      ...(span && { span }),
      trace: span?.trace ?? traceOf(row, request),
      ...(subject !== null && { subject }),
      task: { name, id, attempt: attempts },
    },
    work,
  )
}

function traceOf({ traceId }: Origin, { trace }: RequestContext): Trace {
  return traceId ? { traceId, spanId: undefined, sampled: trace.sampled } : trace
}

/**
 * The span below which the attempts of a task are. Both sides derive its id: from that of the batch, which is sent as a whole, or else
 * from the task's.
 */
function producerId(id: string): string {
  return id.replaceAll('-', '').slice(-16)
}

const messaging = (name: string) => ({
  'messaging.system': 'gcp_cloud_tasks',
  'messaging.destination.name': name,
})

/** Records that this request has enqueued a task, if traces are on. */
export function traceEnqueued(name: string, id: string): void {
  traceProducer('send', name, id, { 'messaging.message.id': id })
}

/** Records that this request has enqueued a batch of tasks, if traces are on. */
export function traceBatch(name: string, id: string, size: number): void {
  traceProducer('send', name, id, { 'messaging.batch.message_count': size, 'task.batch': id })
}

/** Records that this request has stated the final task of a batch, if traces are on: the end of the batch sends it. */
export function traceFinal(name: string, id: string): void {
  traceProducer('create', name, id, { 'messaging.message.id': id })
}

/** @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#producer-spans */
function traceProducer(operation: 'send' | 'create', name: string, id: string, more: SpanAttributes): void {
  const span = currentRequest()?.span
  if (!span) return
  const attributes = { ...messaging(name), 'messaging.operation.type': operation, ...more }
  span.child(`${operation} ${name}`, 'producer', attributes, producerId(id)).end()
  span.keep()
}

/** Starts the span of an attempt, if traces are on: in the trace of the request that enqueued the task. */
export function traceAttempt({ name, id, attempts, traceId, batchId }: Origin): Span | undefined {
  const request = currentRequest()
  const attributes = {
    ...messaging(name),
    'messaging.message.id': id,
    'messaging.operation.type': 'process',
    'task.attempt': attempts,
  }
  return request?.span?.follow(
    { traceId: traceId ?? request.trace.traceId, parentId: producerId(batchId ?? id) },
    `process ${name}`,
    'consumer',
    attributes,
  )
}
