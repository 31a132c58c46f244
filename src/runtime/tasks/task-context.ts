import { type ContextTask, currentRequest, runInContext } from '../kernel/context.ts'
import type { TaskRow } from './table.ts'

type Origin = Pick<TaskRow, 'id' | 'name' | 'attempts' | 'requestId' | 'traceId' | 'subject'>

/** Lets the log entry of this request, a callback, name the task, the trace that it belongs to, and what became of it. */
export function labelRequest(task: ContextTask): void {
  const request = currentRequest()
  if (request) request.task = task
}

/** Runs `work` in the context of the request that enqueued the task: its trace, its request id, its caller's subject. */
export function runInTaskContext<Result>(row: Origin, work: () => Result): Result {
  const request = currentRequest()
  if (!request) return work()
  const { id, name, attempts, requestId, traceId, subject } = row
  return runInContext(
    {
      ...request,
      requestId: requestId ?? request.requestId,
      trace: traceId ? { traceId, spanId: undefined, sampled: request.trace.sampled } : request.trace,
      ...(subject !== null && { subject }),
      task: { name, id, attempt: attempts },
    },
    work,
  )
}
