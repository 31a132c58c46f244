import { z } from '@hono/zod-openapi'
import { defineProblems } from '../kernel/problem.ts'
import { defineRoute, json, jsonBody } from '../routes/route.ts'
import { operatorSecurity, RuntimeTask, taskParams, taskProblems } from './routes.ts'
import { taskStates } from './table.ts'

/** The problems of schedules. */
export const scheduleProblems = defineProblems({
  RUNTIME_SCHEDULE_NOT_FOUND: { status: 404, title: 'This revision has no such schedule' },
})

/** The problem of a signal that an operator sends. */
export const signalProblems = defineProblems({
  RUNTIME_SIGNAL_NOT_FOUND: { status: 404, title: 'This revision has no such signal' },
})

const finished = {
  done: z.int(),
  dead: z.int(),
  failedAttempts: z
    .int()
    .openapi({ description: 'Those of the tasks that are done or dead since, when they finished' }),
}

const TaskSummary = z
  .object({
    name: z.string(),
    known: z.boolean().openapi({ description: 'Whether this revision can run tasks of this name' }),
    maxAttempts: z.int().optional(),
    states: z
      .array(
        z.object({
          state: z.enum(taskStates).exclude(['done']),
          count: z.int(),
          more: z
            .boolean()
            .openapi({ description: 'Whether there are more than were counted: 10,000 at most' }),
          oldestDueAt: z.iso.datetime(),
        }),
      )
      .openapi({ description: 'The states in which there are tasks' }),
    lastHour: z.object(finished),
  })
  .openapi('RuntimeTaskSummary')

const ScheduleSummary = z
  .object({
    name: z.string(),
    pattern: z.string().openapi({ description: 'The cron pattern and the time zone' }),
    task: z.string().optional().openapi({ description: 'The name of the task that it enqueues' }),
    declared: z.boolean().openapi({ description: 'Whether this revision has the schedule' }),
    lastSlot: z.iso
      .datetime()
      .optional()
      .openapi({ description: 'Up to when its slots are handled. Absent until a tick has seen it' }),
    nextSlot: z.iso.datetime().optional(),
    problem: z.string().optional().openapi({ description: 'Why the next slot cannot be computed' }),
  })
  .openapi('RuntimeScheduleSummary')

const Overview = z
  .object({
    now: z.iso.datetime().openapi({ description: 'By the clock of the database' }),
    tasks: z.array(TaskSummary),
    lastHour: z.array(z.object(finished)).openapi({ description: 'Each minute, the first minute first' }),
    estimated: z
      .boolean()
      .openapi({ description: 'Whether a minute had so many tasks that only some were read' }),
    schedules: z.array(ScheduleSummary),
    links: z
      .object({ logs: z.string().optional(), trace: z.string().optional() })
      .openapi({ description: 'URLs for a trace, with {trace}, {from} and {to} in them' }),
  })
  .openapi('RuntimeOverview', {
    example: {
      now: '2026-11-22T10:30:00.000Z',
      tasks: [
        {
          name: 'orders.fulfil',
          known: true,
          maxAttempts: 8,
          states: [{ state: 'dead', count: 2, more: false, oldestDueAt: '2026-11-22T09:40:00.000Z' }],
          lastHour: { done: 412, dead: 1, failedAttempts: 9 },
        },
      ],
      lastHour: [{ done: 7, dead: 0, failedAttempts: 1 }],
      estimated: false,
      schedules: [
        {
          name: 'orders.nightly',
          pattern: '30 3 * * * Europe/Berlin',
          task: 'orders.cancel-stale',
          declared: true,
          lastSlot: '2026-11-22T02:30:12.000Z',
          nextSlot: '2026-11-23T02:30:00.000Z',
        },
      ],
      links: { logs: 'https://logs.example.com/?trace={trace}' },
    },
  })

export const overviewRoute = defineRoute({
  method: 'get',
  path: '/runtime/tasks/overview',
  operationId: 'runtimeGetOverview',
  summary: 'Count the tasks by name and state, and what the last hour has finished; list the schedules',
  security: operatorSecurity,
  responses: { 200: json('The background work', Overview) },
})

export const runTaskNowRoute = defineRoute({
  method: 'post',
  path: '/runtime/tasks/{id}/run',
  operationId: 'runtimeRunTaskNow',
  summary: 'Run a waiting task now, whenever it is due',
  security: operatorSecurity,
  request: { params: taskParams },
  responses: { 200: json('The task, now due', RuntimeTask) },
  problems: [taskProblems.RUNTIME_TASK_NOT_FOUND, taskProblems.RUNTIME_TASK_NOT_WAITING],
})

export const runScheduleRoute = defineRoute({
  method: 'post',
  path: '/runtime/schedules/{name}/run',
  operationId: 'runtimeRunSchedule',
  summary: 'Enqueue the task of a schedule now. Its slots stay as they are',
  security: operatorSecurity,
  request: { params: z.object({ name: z.string().openapi({ example: 'orders.nightly' }) }) },
  responses: { 200: json('The task', RuntimeTask) },
  problems: [scheduleProblems.RUNTIME_SCHEDULE_NOT_FOUND],
  idempotent: true,
})

export const sendSignalRoute = defineRoute({
  method: 'post',
  path: '/runtime/tasks/signals',
  operationId: 'runtimeSendSignal',
  summary: 'Send a signal to the tasks that wait for it, or will do so',
  security: operatorSecurity,
  request: {
    body: jsonBody(
      z
        .strictObject({
          task: z.string().min(1).max(100),
          name: z.string().min(1).max(100),
          key: z.string().max(1000),
          payload: z.unknown().optional(),
        })
        .openapi('RuntimeSignal', {
          example: { task: 'orders.import', name: 'paid', key: 'batch-7', payload: { amount: 1200 } },
        }),
    ),
  },
  responses: {
    200: json(
      'Whether it counts: the first one of a name and key does',
      z.object({ accepted: z.boolean() }).openapi('RuntimeSignalSent', { example: { accepted: true } }),
    ),
  },
  problems: [signalProblems.RUNTIME_SIGNAL_NOT_FOUND],
  idempotent: true,
})
