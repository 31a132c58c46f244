import type { OperatedBatch } from './operated-batches.ts'
import { withoutNull } from './present-task.ts'

/** A batch as the routes for operators show it, without the payload of its final task. */
export function presentBatch(batch: OperatedBatch) {
  const { id, name, size, done, dead, cancelled, finalId, finalName, finalState, finishedAt } = batch
  const { traceId, requestId, subject, revision } = batch
  const open = finishedAt ? 0 : Math.max(0, size - done - dead - cancelled)
  const running = Math.min(open, batch.running) // both are read by statements of their own
  return {
    ...{ id, name, size, done, dead, cancelled },
    ...{ running, waiting: open - running },
    createdAt: batch.createdAt.toISOString(),
    ...(finalName !== null && {
      finally: {
        name: finalName,
        ...(finishedAt && finalId && { id: finalId }),
        ...(finalState && { state: finalState }),
      },
    }),
    ...withoutNull({
      ...{ cancelledAt: batch.cancelledAt?.toISOString(), finishedAt: finishedAt?.toISOString() },
      ...{ traceId, requestId, subject, revision },
    }),
  }
}
