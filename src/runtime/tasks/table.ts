import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import {
  check,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { now } from '../database/now.ts'
import { runtimeSchema } from '../database/schema.ts'

/**
 * `pending`: committed, not handed over. `queued`: Cloud Tasks has its alarm. `running`: someone holds its
 * lease. `done`, `dead`, `cancelled`: over.
 */
export const taskStates = ['pending', 'queued', 'running', 'done', 'dead', 'cancelled'] as const

/** A task's state. */
export type TaskState = (typeof taskStates)[number]

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** The ledger: the row is the truth, Cloud Tasks only the alarm clock that calls back. */
export const tasks = runtimeSchema.table(
  'tasks',
  {
    /** UUIDv7: sorts by age. The idempotency key of all attempts. */
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    state: text('state', { enum: taskStates }).notNull().default('pending'),
    payload: jsonb('payload').notNull(),
    /** At most one unfinished task of a name has it. */
    key: text('key'),
    /** Counts hand-overs: an alarm with another number is stale. */
    dispatch: integer('dispatch').notNull().default(1),
    /** Counts claims, so that an attempt that kills its process counts as well. */
    attempts: integer('attempts').notNull().default(0),
    dueAt: moment('due_at').notNull(),
    /** When someone last saw to its alarm; that of a queued one is not looked after before it is due. */
    touchedAt: moment('touched_at').notNull().default(now),
    /** Whoever runs it, until `leasedUntil`. */
    lease: uuid('lease'),
    leasedUntil: moment('leased_until'),
    /** When it was first claimed: from then on, it may have told others. */
    startedAt: moment('started_at'),
    /** Since when no revision has known its name or understood its payload. */
    unknownSince: moment('unknown_since'),
    finishedAt: moment('finished_at'),
    /** When its death was logged and reported. */
    announcedAt: moment('announced_at'),
    lastError: text('last_error'),
    /** Of the request that enqueued it. */
    requestId: text('request_id'),
    traceId: text('trace_id'),
    subject: text('subject'),
    revision: text('revision'),
    createdAt: moment('created_at').notNull().default(now),
  },
  (table) => {
    const state = table.state
    return [
      uniqueIndex('tasks_key')
        .on(table.name, table.key)
        .where(sql`${state} in ('pending', 'queued', 'running')`),
      index('tasks_pending').on(table.dueAt).where(sql`${state} = 'pending'`),
      index('tasks_queued').on(table.touchedAt).where(sql`${state} = 'queued'`),
      index('tasks_running').on(table.leasedUntil).where(sql`${state} = 'running'`),
      index('tasks_unannounced')
        .on(table.finishedAt)
        .where(sql`${state} = 'dead' and ${table.announcedAt} is null`),
      index('tasks_over').on(table.finishedAt).where(sql`${state} in ('done', 'cancelled')`),
      index('tasks_open').on(state, table.id).where(sql`${state} <> 'done'`),
      index('tasks_name').on(table.name, table.id),
      check('tasks_state', sql`${state} in ('pending', 'queued', 'running', 'done', 'dead', 'cancelled')`),
    ]
  },
)

/** A row of `runtime.tasks`. */
export type TaskRow = typeof tasks.$inferSelect

/**
 * Whether a task is in one of these states: written into the query, since a partial index serves only a query
 * whose states are known when it is planned.
 */
export function stateIs(...states: readonly [TaskState, ...TaskState[]]): SQL {
  return sql`${tasks.state} in (${sql.raw(states.map((state) => `'${state}'`).join(', '))})`
}

/**
 * Whether a task is among those that a query finds. They are found once, as an array: of `id in (select … limit …
 * for update skip locked)` a plan may ask anew for every row, and then it takes more than the limit.
 *
 * @see https://dba.stackexchange.com/questions/69471/postgres-update-limit-1
 */
export function isAmong(found: SQLWrapper): SQL {
  return sql`${tasks.id} = any(array${found})`
}

/** What each schedule has come to. One whose pattern was changed has two rows while revisions with either serve. */
export const schedules = runtimeSchema.table(
  'schedules',
  {
    name: text('name').notNull(),
    /** Its cron and time zone. Empty: written by a revision from before this column. */
    pattern: text('pattern').notNull().default(''),
    /** The moment up to which its slots have been seen to. */
    lastSlot: moment('last_slot').notNull(),
    /** The last tick of a revision that declares it. */
    declaredAt: moment('declared_at').notNull().default(now),
    /** The first tick after that of a revision that does not. */
    goneSince: moment('gone_since'),
  },
  (table) => [primaryKey({ columns: [table.name, table.pattern] })],
)
