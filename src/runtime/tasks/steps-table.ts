import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'
import { now } from '../database/now.ts'
import { runtimeSchema } from '../database/schema.ts'
import { tasks } from './table.ts'

/** What a row of `steps` stands for. The name of a wait is that of its signal, a colon and the key. */
export const stepKinds = ['step', 'sleep', 'wait'] as const

/** The kind of a step. */
export type StepKind = (typeof stepKinds)[number]

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** The steps that tasks have finished, or failed at, and their sleeps and waits. They go with their task. */
export const steps = runtimeSchema.table(
  'steps',
  {
    taskId: uuid('task_id')
      .notNull()
      .references(() => tasks.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    kind: text('kind', { enum: stepKinds }).notNull(),
    /** What the step returned, as JSON. Of a wait: `{"payload": …}`, or nothing if it timed out. */
    result: jsonb('result'),
    /** How far an unfinished step has come. */
    cursor: jsonb('cursor'),
    /** How often it was tried to an end, good or bad. */
    tries: integer('tries').notNull().default(0),
    /** How often an unfinished step is tried at most, if it has said so. */
    maxTries: integer('max_tries'),
    lastError: text('last_error'),
    /** Whether it has an undo. */
    undoable: boolean('undoable').notNull().default(false),
    /** When its undo has succeeded. The step counts as not finished then, if the task is redriven. */
    undoneAt: moment('undone_at'),
    undoTries: integer('undo_tries').notNull().default(0),
    undoError: text('undo_error'),
    /** In which round of undos, as `tasks.undone` counts them, its undo has ended, well or not. */
    undoRound: integer('undo_round'),
    startedAt: moment('started_at').notNull(),
    /** Of a sleep: when it ends. Of a wait: when the signal came, or the time-out. */
    finishedAt: moment('finished_at'),
    /** When a sleep ends, or a wait times out. */
    until: moment('until'),
    /** Sorts them in the order in which they were first written: times may be equal. */
    position: bigint('position', { mode: 'number' }).generatedAlwaysAsIdentity(),
    /** The revision that wrote the row last. */
    revision: text('revision'),
  },
  (table) => [primaryKey({ columns: [table.taskId, table.name] })],
)

/** A row of `runtime.steps`. */
export type StepRow = typeof steps.$inferSelect

/** The signals that were sent, and those that tasks wait for. The tick prunes them. */
export const signals = runtimeSchema.table(
  'signals',
  {
    /** The name of the task. */
    task: text('task').notNull(),
    name: text('name').notNull(),
    key: text('key').notNull(),
    payload: jsonb('payload'),
    /** When it came; nothing if a task waits for it. */
    arrivedAt: moment('arrived_at'),
    /** When it came, or when a task last started to wait for it. `infinity` while tasks wait that it has not woken. */
    touchedAt: moment('touched_at').notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.task, table.name, table.key] }),
    index('signals_touched').on(table.touchedAt),
  ],
)
