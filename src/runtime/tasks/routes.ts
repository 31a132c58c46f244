import { z } from '@hono/zod-openapi'
import { cursorParameter } from '../database/cursor.ts'
import { defineProblems } from '../kernel/problem.ts'
import { defineRoute, json } from '../routes/route.ts'
import { BatchCounts } from './batch-counts.ts'
import { stepKinds } from './steps-table.ts'
import { taskStates } from './table.ts'

/** The problems of tasks, beside those that any request may have. */
export const taskProblems = defineProblems({
  RUNTIME_TASK_NOT_FOUND: { status: 404, title: 'There is no such task' },
  RUNTIME_TASK_NOT_DEAD: { status: 409, title: 'The task is not dead' },
  RUNTIME_TASK_KEY_TAKEN: { status: 409, title: 'Another unfinished task has the same key' },
  RUNTIME_TASK_NOT_WAITING: { status: 409, title: 'The task does not wait' },
  RUNTIME_TASK_OVER: { status: 409, title: 'The task has finished' },
})

export const example = {
  id: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f',
  name: 'orders.fulfil',
  state: 'dead' as const,
  attempts: 8,
  dispatch: 8,
  dueAt: '2026-11-22T09:40:00.000Z',
  createdAt: '2026-11-22T09:30:00.000Z',
  startedAt: '2026-11-22T09:40:01.000Z',
  finishedAt: '2026-11-22T10:12:00.000Z',
  lastError: 'Error: The warehouse responded with 500',
}

/** A task as an operator sees it. The payload is left out: an operator may not be allowed to read it. */
export const RuntimeTask = z
  .object({
    id: z.uuid(),
    name: z.string(),
    state: z.enum(taskStates),
    key: z.string().optional().openapi({ description: 'Unique among the unfinished tasks of this name' }),
    attempts: z.int(),
    dispatch: z.int().openapi({ description: 'Counts the deliveries sent to Cloud Tasks' }),
    dueAt: z.iso.datetime(),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().optional().openapi({ description: 'When its first attempt started' }),
    finishedAt: z.iso.datetime().optional(),
    leasedUntil: z.iso.datetime().optional().openapi({
      description: 'Until when the running attempt holds the task, if it does not renew its lease',
    }),
    unknownSince: z.iso
      .datetime()
      .optional()
      .openapi({ description: 'Since when it waits for a revision that understands it' }),
    lastError: z.string().optional(),
    undoing: z
      .enum(['dead', 'cancelled'])
      .optional()
      .openapi({ description: 'What it becomes when the undos of its steps have run' }),
    waitsFor: z
      .object({
        name: z.string().openapi({ description: 'The sleep, or the signal' }),
        key: z.string().optional().openapi({ description: 'The key of the signal; absent for a sleep' }),
        until: z.iso.datetime().openapi({ description: 'When the sleep ends, or the wait times out' }),
      })
      .optional(),
    waitsForPlace: z
      .literal(true)
      .optional()
      .openapi({ description: 'It is set aside until its limit has a free place' }),
    batchId: z.uuid().optional().openapi({ description: 'The batch that it belongs to' }),
    traceId: z
      .string()
      .optional()
      .openapi({ description: 'The trace of the request that enqueued the task' }),
    requestId: z.string().optional(),
    subject: z.string().optional().openapi({ description: 'The caller who sent that request' }),
    revision: z.string().optional(),
  })
  .openapi('RuntimeTask', { example })

const TaskDetails = RuntimeTask.extend({
  batch: BatchCounts.optional().openapi({ description: 'How the tasks of its batch have ended so far' }),
  errors: z
    .array(
      z.object({
        at: z.iso.datetime(),
        attempt: z.int(),
        error: z.string(),
        step: z.string().optional(),
        ms: z.int().optional().openapi({ description: 'How long the attempt took, in milliseconds' }),
        revision: z.string().optional(),
      }),
    )
    .openapi({ description: 'The last 20 attempts that failed, the oldest first' }),
  steps: z
    .array(
      z.object({
        name: z.string(),
        kind: z.enum(stepKinds),
        tries: z.int().openapi({ description: 'How often it ended, well or not' }),
        startedAt: z.iso.datetime(),
        finishedAt: z.iso.datetime().optional(),
        until: z.iso.datetime().optional().openapi({ description: 'When a sleep ends, or a wait times out' }),
        lastError: z.string().optional(),
        undoneAt: z.iso.datetime().optional().openapi({ description: 'When its undo has succeeded' }),
        undoError: z.string().optional().openapi({ description: 'Why its undo has failed' }),
        revision: z.string().optional(),
      }),
    )
    .openapi({
      description:
        'Its steps, sleeps and waits, in the order in which they started. Their results are left out',
    }),
}).openapi('RuntimeTaskDetails', {
  example: {
    ...example,
    errors: [
      {
        ...{ at: '2026-11-22T10:12:00.000Z', attempt: 8, error: example.lastError, step: 'ship', ms: 412 },
        revision: 'orders-00042-abc',
      },
    ],
    steps: [
      {
        ...{ name: 'reserve', kind: 'step', tries: 1, startedAt: '2026-11-22T09:40:01.000Z' },
        ...{ finishedAt: '2026-11-22T09:40:02.000Z', revision: 'orders-00042-abc' },
      },
    ],
  },
})

const TaskPage = z
  .object({
    items: z.array(RuntimeTask),
    nextCursor: z.string().optional().openapi({ description: 'Absent on the last page' }),
  })
  .openapi('RuntimeTaskPage', { example: { items: [example], nextCursor: 'AZMrHHoAfD6NX1obLD1OXw' } })

const Redriven = z
  .object({ redriven: z.int(), more: z.boolean() })
  .openapi('RuntimeRedriven', { example: { redriven: 1000, more: true } })

export const taskParams = z.object({ id: z.uuid().openapi({ example: example.id }) })
const name = z.string().min(1).max(100)
export const operatorSecurity: ['runtime:admin'] = ['runtime:admin']

export const listTasksRoute = defineRoute({
  method: 'get',
  path: '/runtime/tasks',
  operationId: 'runtimeListTasks',
  summary: 'List tasks, newest first',
  security: operatorSecurity,
  request: {
    query: z.strictObject({
      limit: z.int().min(1).max(100).default(20),
      cursor: cursorParameter().optional(),
      state: z.enum(taskStates).optional(),
      name: name.optional(),
      batch: z.uuid().optional().openapi({ description: 'The id of a batch: only its tasks' }),
    }),
  },
  responses: { 200: json('A page of tasks', TaskPage) },
})

export const getTaskRoute = defineRoute({
  method: 'get',
  path: '/runtime/tasks/{id}',
  operationId: 'runtimeGetTask',
  summary: 'Show a task: its steps, the errors of its attempts, the trace of the request that enqueued it',
  security: operatorSecurity,
  request: { params: taskParams },
  responses: { 200: json('The task', TaskDetails) },
  problems: [taskProblems.RUNTIME_TASK_NOT_FOUND],
})

export const redriveTaskRoute = defineRoute({
  method: 'post',
  path: '/runtime/tasks/{id}/redrive',
  operationId: 'runtimeRedriveTask',
  summary: 'Redrive a dead task: it gets all its attempts back, and continues after its last finished step',
  security: operatorSecurity,
  request: {
    params: taskParams,
    query: z.strictObject({
      from: z
        .literal('start')
        .optional()
        .openapi({ description: 'Forgets its steps, sleeps and waits: all of it runs again' }),
    }),
  },
  responses: { 200: json('The task, now pending', RuntimeTask) },
  problems: [
    taskProblems.RUNTIME_TASK_NOT_FOUND,
    taskProblems.RUNTIME_TASK_NOT_DEAD,
    taskProblems.RUNTIME_TASK_KEY_TAKEN,
  ],
})

export const redriveTasksRoute = defineRoute({
  method: 'post',
  path: '/runtime/tasks/redrive',
  operationId: 'runtimeRedriveTasks',
  summary: 'Redrive up to 1,000 dead tasks of one name',
  security: operatorSecurity,
  request: { query: z.strictObject({ name }) },
  responses: { 200: json('How many tasks were redriven, and whether more are left', Redriven) },
})

export const cancelTaskRoute = defineRoute({
  method: 'post',
  path: '/runtime/tasks/{id}/cancel',
  operationId: 'runtimeCancelTask',
  summary: 'Cancel a task that has not finished',
  description:
    'A running attempt is aborted and writes nothing. If its steps have undos, these run first: the task is pending until then, and ' +
    'a second cancel ends it without them, and the log names those that did not run. Cancelling a cancelled task changes ' +
    'nothing and returns 200.',
  security: operatorSecurity,
  request: { params: taskParams },
  responses: { 200: json('The task, cancelled', RuntimeTask) },
  problems: [taskProblems.RUNTIME_TASK_NOT_FOUND, taskProblems.RUNTIME_TASK_OVER],
})
