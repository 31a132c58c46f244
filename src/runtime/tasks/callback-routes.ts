import { z } from '@hono/zod-openapi'
import { problems } from '../kernel/problem.ts'
import { defineRoute, json, jsonBody } from '../routes/route.ts'
import { example } from './routes.ts'

const TaskOutcome = z
  .object({
    outcome: z.enum([
      'done',
      'retrying',
      'suspended',
      'limited',
      'waiting',
      'undoing',
      'dead',
      'cancelled',
      'ignored',
    ]),
  })
  .openapi('RuntimeTaskOutcome', { example: { outcome: 'done' } })

const Tick = z
  .object({
    scheduled: z.int(),
    rescued: z.int(),
    freed: z.int(),
    signalled: z.int(),
    announced: z.int(),
    lost: z.int(),
    sent: z.int(),
    pruned: z.int(),
  })
  .openapi('RuntimeTick', {
    example: {
      ...{ scheduled: 1, rescued: 0, freed: 0, signalled: 0 },
      ...{ announced: 0, lost: 0, sent: 12, pruned: 250 },
    },
  })

export const tickRoute = defineRoute({
  method: 'post',
  path: '/runtime/tick',
  operationId: 'runtimeTick',
  summary:
    'Called by Cloud Scheduler every minute: sends pending tasks, enqueues due schedules, prunes finished tasks',
  security: 'invoker',
  responses: { 200: json('How many tasks each step handled', Tick) },
})

export const callbackRoute = defineRoute({
  method: 'post',
  path: '/runtime/callbacks/{name}',
  operationId: 'runtimeRunTask',
  summary: 'Called by Cloud Tasks: runs the task, unless the dispatch is stale',
  security: 'invoker',
  request: {
    params: z.object({ name: z.string().openapi({ example: example.name }) }),
    body: jsonBody(
      z
        .strictObject({ id: z.uuid(), dispatch: z.int().min(1).max(2_147_483_647) })
        .openapi('RuntimeTaskDispatch', { example: { id: example.id, dispatch: 1 } }),
    ),
  },
  responses: { 200: json('The outcome', TaskOutcome) },
  problems: [problems.RUNTIME_TASK_BUSY],
})
