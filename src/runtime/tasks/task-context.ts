import { type ContextTask, currentRequest, type RequestContext, runInContext } from '../kernel/context.ts'
import type { Span } from '../kernel/span.ts'
import type { Trace } from '../kernel/trace.ts'
import type { TaskRow } from './table.ts'

type Origin = Pick<TaskRow, 'id' | 'name' | 'attempts' | 'requestId' | 'traceId' | 'subject'>

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

/** The span of a task's enqueuing, below which its attempts are. Both sides derive its id from the task's. */
function producerId(taskId: string): string {
  return taskId.replaceAll('-', '').slice(-16)
}

const messaging = (name: string, id: string) => ({
  'messaging.system': 'gcp_cloud_tasks',
  'messaging.destination.name': name,
  'messaging.message.id': id,
})

/** Records that this request has enqueued a task, if traces are on. */
export function traceEnqueued(name: string, id: string): void {
  const span = currentRequest()?.span
  if (!span) return
  const attributes = { ...messaging(name, id), 'messaging.operation.type': 'send' }
  span.child(`send ${name}`, 'producer', attributes, producerId(id)).end()
  span.keep()
}

/** Starts the span of an attempt, if traces are on: in the trace of the request that enqueued the task. */
export function traceAttempt({ name, id, attempts, traceId }: Origin): Span | undefined {
  const request = currentRequest()
  const attributes = {
    ...messaging(name, id),
    'messaging.operation.type': 'process',
    'task.attempt': attempts,
  }
  return request?.span?.follow(
    { traceId: traceId ?? request.trace.traceId, parentId: producerId(id) },
    `process ${name}`,
    'consumer',
    attributes,
  )
}
