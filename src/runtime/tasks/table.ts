import { isNotNull, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import {
  check,
  index,
  integer,
  jsonb,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { now } from '../database/now.ts'
import { runtimeSchema } from '../database/schema.ts'

/**
 * The states of a task. `pending`: committed, but not sent to Cloud Tasks. `queued`: Cloud Tasks has its delivery.
 * `running`: a process holds its lease. `done`, `dead`, `cancelled`: finished.
 */
export const taskStates = ['pending', 'queued', 'running', 'done', 'dead', 'cancelled'] as const

/** A task's state. */
export type TaskState = (typeof taskStates)[number]

/** Why an attempt failed. */
export interface AttemptError {
  /** When it failed, in ISO 8601. */
  readonly at: string
  readonly attempt: number
  readonly error: string
  /** The step in which it failed; absent outside a step. */
  readonly step?: string
  /** How long the attempt took, in milliseconds; absent if its process ended. */
  readonly ms?: number
  readonly revision?: string
}

/** The place of a pending task that waits until its key has a free place. Nobody sends it until then. */
export const setAside = -1
/** The place of a task that was woken, and has not started yet: a free place is kept for it. */
export const woken = 0

/** A place as the indexes have it. PostgreSQL uses a partial index only if it knows the place when it plans the query. */
export const literal = (place: typeof setAside | typeof woken): SQL => sql.raw(`${place}::smallint`)

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** The tasks. A row is the only truth about its task; Cloud Tasks only calls back at the right time. */
export const tasks = runtimeSchema.table(
  'tasks',
  {
    /** UUIDv7: sorts by age. It is also the idempotency key of all attempts. */
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    state: text('state', { enum: taskStates }).notNull().default('pending'),
    payload: jsonb('payload').notNull(),
    /** At most one unfinished task of a name has this key. */
    key: text('key'),
    /** Counts deliveries. A delivery with another number is stale. */
    dispatch: integer('dispatch').notNull().default(1),
    /** Counts claims, so that an attempt that kills its process counts too. */
    attempts: integer('attempts').notNull().default(0),
    dueAt: moment('due_at').notNull(),
    /** When its delivery was last sent or checked. For a queued task it is not before `dueAt`. */
    touchedAt: moment('touched_at').notNull().default(now),
    /** Identifies the claim that runs it, until `leasedUntil`. */
    lease: uuid('lease'),
    leasedUntil: moment('leased_until'),
    /** When it was first claimed. From then on, it may have called other services. */
    startedAt: moment('started_at'),
    /** Since when the revisions that tried it did not know its name or understand its payload. */
    unknownSince: moment('unknown_since'),
    finishedAt: moment('finished_at'),
    /** When it was logged and reported as dead. */
    announcedAt: moment('announced_at'),
    lastError: text('last_error'),
    /** The last errors of its attempts, the newest last: see `AttemptError`. */
    errors: jsonb('errors').$type<AttemptError[]>().notNull().default([]),
    /** The sleep or the signal that it waits for. */
    waitsFor: text('waits_for'),
    /** The key of that signal. */
    waitsKey: text('waits_key'),
    /** What the task becomes when the undos of its steps have run. */
    undoing: text('undoing', { enum: ['dead', 'cancelled'] }),
    /** How often the undos of its steps have run: a step that runs again after that has another idempotency key. */
    undone: integer('undone').notNull().default(0),
    /** The request that enqueued it. */
    requestId: text('request_id'),
    traceId: text('trace_id'),
    subject: text('subject'),
    revision: text('revision'),
    /** The batch that it belongs to. */
    batchId: uuid('batch_id'),
    /** Tasks of its name and key are limited together: see `defineTask`. */
    limitKey: text('limit_key'),
    /** The place that the running task holds among those of its key, from 1; `setAside`; `woken`. Each claim clears it. */
    limitSlot: smallint('limit_slot'),
    createdAt: moment('created_at').notNull().default(now),
  },
  (table) => {
    const state = table.state
    const isSetAside = sql`${table.limitSlot} = ${literal(setAside)}`
    const isUnsent = sql`${state} = 'pending' and ${table.limitSlot} is distinct from ${literal(setAside)}`
    return [
      uniqueIndex('tasks_key')
        .on(table.name, table.key)
        .where(sql`${state} in ('pending', 'queued', 'running')`),
      index('tasks_unsent').on(table.dueAt).where(isUnsent),
      index('tasks_queued').on(table.touchedAt).where(sql`${state} = 'queued'`),
      index('tasks_running').on(table.leasedUntil).where(sql`${state} = 'running'`),
      index('tasks_unannounced')
        .on(table.finishedAt)
        .where(sql`${state} = 'dead' and ${table.announcedAt} is null`),
      index('tasks_over').on(table.finishedAt).where(sql`${state} in ('done', 'cancelled')`),
      index('tasks_open').on(state, table.id).where(sql`${state} <> 'done'`),
      index('tasks_done').on(table.name, table.id).where(sql`${state} = 'done'`),
      // `due_at` lets the overview find the oldest without a look at the rows
      index('tasks_by_state').on(state, table.name, table.id, table.dueAt).where(sql`${state} <> 'done'`),
      index('tasks_waiting').on(table.name, table.waitsFor, table.waitsKey).where(isNotNull(table.waitsKey)),
      index('tasks_batch').on(table.batchId, state, table.id).where(sql`${table.batchId} is not null`),
      index('tasks_batch_unsent')
        .on(table.batchId, table.id)
        .where(sql`${table.batchId} is not null and ${isUnsent}`),
      // this index is what keeps the limit: no two running tasks have the same place
      uniqueIndex('tasks_limit_slots')
        .on(table.name, table.limitKey, table.limitSlot)
        .where(sql`${state} = 'running' and ${table.limitSlot} > 0`),
      // those that wait for a place are many at times: nothing else reads past them
      index('tasks_set_aside')
        .on(table.name, table.limitKey, table.id)
        .where(sql`${state} = 'pending' and ${isSetAside}`),
      index('tasks_woken')
        .on(table.name, table.limitKey)
        .where(sql`${state} in ('pending', 'queued') and ${table.limitSlot} = ${literal(woken)}`),
      index('tasks_limit_order')
        .on(table.name, table.limitKey, table.id)
        .where(sql`${table.limitKey} is not null and ${state} in ('pending', 'queued', 'running')`),
      index('tasks_dead').on(table.finishedAt).where(sql`${state} = 'dead'`),
      check('tasks_state', sql`${state} in ('pending', 'queued', 'running', 'done', 'dead', 'cancelled')`),
    ]
  },
)

/** A row of `runtime.tasks`. */
export type TaskRow = typeof tasks.$inferSelect

/**
 * Whether a task is in one of these states. The states are literals in the query: PostgreSQL uses a partial index only if
 * it knows them when it plans the query.
 */
export function stateIs(...states: readonly [TaskState, ...TaskState[]]): SQL {
  return sql`${tasks.state} in (${sql.raw(states.map((state) => `'${state}'`).join(', '))})`
}

/**
 * Whether a task is among those that a query finds. The query runs once and gives an array. With `id in (select … limit …
 * for update skip locked)`, a plan may run it once for every row, and take more rows than the limit.
 *
 * @see https://dba.stackexchange.com/questions/69471/postgres-update-limit-1
 */
export function isAmong(found: SQLWrapper): SQL {
  return sql`${tasks.id} = any(array${found})`
}

/** How far each schedule has come. A schedule whose pattern changed has two rows while revisions with both patterns serve. */
export const schedules = runtimeSchema.table(
  'schedules',
  {
    name: text('name').notNull(),
    /** Its cron pattern and time zone. Empty: written by a revision that did not have this column. */
    pattern: text('pattern').notNull().default(''),
    /** The time up to which its slots are handled. */
    lastSlot: moment('last_slot').notNull(),
    /** When a tick last declared it. */
    declaredAt: moment('declared_at').notNull().default(now),
    /** When a later tick first did not declare it. */
    goneSince: moment('gone_since'),
  },
  (table) => [primaryKey({ columns: [table.name, table.pattern] })],
)
