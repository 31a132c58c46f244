import { BatchCounts } from './batch-counts.ts'
import type { ShownStep } from './operators.ts'
import { setAside, type TaskRow } from './table.ts'

/** A row as the routes for operators show it, without the payload. */
export function presentTask(row: TaskRow) {
  const { id, name, state, attempts, dispatch } = row
  const times = {
    startedAt: row.startedAt?.toISOString(),
    finishedAt: row.finishedAt?.toISOString(),
    leasedUntil: row.leasedUntil?.toISOString(),
    unknownSince: row.unknownSince?.toISOString(),
  }
  const origin = {
    traceId: row.traceId,
    requestId: row.requestId,
    subject: row.subject,
    revision: row.revision,
  }
  return {
    ...{ id, name, state, attempts, dispatch },
    dueAt: row.dueAt.toISOString(),
    createdAt: row.createdAt.toISOString(),
    ...(row.waitsFor !== null && {
      waitsFor: {
        ...{ name: row.waitsFor, until: row.dueAt.toISOString() },
        ...(row.waitsKey !== null && { key: row.waitsKey }),
      },
    }),
    ...(row.state === 'pending' && row.limitSlot === setAside && { waitsForPlace: true as const }),
    ...(row.undoing && { undoing: row.undoing }),
    ...withoutNull({ key: row.key, lastError: row.lastError, batchId: row.batchId, ...times, ...origin }),
  }
}

/** A row with its steps, the errors of its attempts and its batch. Results are left out, as the payload is. */
export function presentDetails(row: TaskRow, steps: readonly ShownStep[], batch: BatchCounts | undefined) {
  return {
    ...presentTask(row),
    ...(batch && { batch: BatchCounts.parse(batch) }),
    errors: row.errors.map((error) => ({ ...error, at: new Date(error.at).toISOString() })),
    steps: steps.map(({ name, kind, tries, startedAt, finishedAt, until, undoneAt, ...step }) => ({
      ...{ name, kind, tries, startedAt: startedAt.toISOString() },
      ...withoutNull({
        ...{ lastError: step.lastError, undoError: step.undoError, revision: step.revision },
        ...{ finishedAt: finishedAt?.toISOString(), until: until?.toISOString() },
        undoneAt: undoneAt?.toISOString(),
      }),
    })),
  }
}

/** The columns that have a value. */
export function withoutNull<Name extends string>(columns: Record<Name, string | null | undefined>) {
  const there = Object.entries(columns).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(there) as { [Column in Name]?: string }
}
