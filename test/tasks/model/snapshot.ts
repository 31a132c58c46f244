import type { TaskState } from '#src/runtime/tasks/table.ts'

/** A row of the ledger. */
export interface TaskSeen {
  readonly id: string
  readonly name: string
  readonly state: TaskState
  readonly dispatch: number
  readonly limit_key: string | null
  readonly limit_slot: number | null
  readonly waits_key: string | null
  readonly due_at: string
  readonly batch_id: string | null
  readonly payload: { readonly batch?: Record<string, number> }
}

/** A batch, and the sums of its counters. */
export interface BatchSeen {
  readonly id: string
  readonly size: number
  readonly final_id: string
  readonly finished_at: string | null
  readonly open: number
  readonly done: number
  readonly dead: number
  readonly cancelled: number
}

/** What is committed at one moment. */
export interface Snapshot {
  readonly tasks: readonly TaskSeen[]
  readonly effects: readonly { readonly task: string; readonly what: string }[]
  readonly batches: readonly BatchSeen[]
  readonly signals: readonly { readonly key: string; readonly payload: { readonly n: number } | null }[]
  readonly waits: readonly { readonly task_id: string; readonly until: string }[]
}

const rows = (query: string) => `(select coalesce(json_agg(row), '[]') from (${query}) as row)`

/** A statement that sees it. */
export const takeSnapshot = `select
  ${rows(`select id, name, state, dispatch, limit_key, limit_slot, waits_key, due_at, batch_id, payload from runtime.tasks`)} as tasks,
  ${rows('select task, what from model_effects')} as effects,
  ${rows(`select id, size, final_id, finished_at, counted.* from runtime.batches, lateral (
    select coalesce(sum(open), 0) as open, coalesce(sum(done), 0) as done, coalesce(sum(dead), 0) as dead,
      coalesce(sum(cancelled), 0) as cancelled from runtime.batch_counts where batch_id = id) as counted`)} as batches,
  ${rows('select key, payload from runtime.signals where arrived_at is not null')} as signals,
  ${rows(`select task_id, until from runtime.steps where kind = 'wait'`)} as waits`
