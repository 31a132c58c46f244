import type { TaskRow } from './table.ts'

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
    ...withoutNull({ key: row.key, lastError: row.lastError, ...times, ...origin }),
  }
}

function withoutNull<Name extends string>(columns: Record<Name, string | null | undefined>) {
  const there = Object.entries(columns).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(there) as { [Column in Name]?: string }
}
