import { z } from '@hono/zod-openapi'
import { cursorParameter } from '../database/cursor.ts'
import { defineProblems } from '../kernel/problem.ts'
import { defineRoute, json } from '../routes/route.ts'
import { byEnd } from './batches.ts'
import { operatorSecurity } from './routes.ts'
import { taskStates } from './table.ts'

/** The problems of batches. */
export const batchProblems = defineProblems({
  RUNTIME_BATCH_NOT_FOUND: { status: 404, title: 'There is no such batch' },
  RUNTIME_BATCH_OVER: { status: 409, title: 'The batch has ended' },
})

const example = {
  id: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f',
  name: 'orders.fulfil',
  size: 200,
  ...{ done: 120, dead: 2, cancelled: 0, running: 8, waiting: 70 },
  createdAt: '2026-11-22T09:30:00.000Z',
  finally: { name: 'orders.report' },
  subject: 'alice',
}

const Batch = z
  .object({
    id: z.uuid(),
    name: z.string().openapi({ description: 'The name of its tasks' }),
    size: z.int(),
    done: z.int(),
    dead: z.int(),
    cancelled: z.int(),
    running: z.int(),
    waiting: z.int().openapi({ description: 'Those that are pending or queued' }),
    createdAt: z.iso.datetime(),
    cancelledAt: z.iso
      .datetime()
      .optional()
      .openapi({ description: 'When it was cancelled. Its tasks that had started have ended, or will' }),
    finishedAt: z.iso
      .datetime()
      .optional()
      .openapi({ description: 'When its last task ended. Absent while it is open' }),
    finally: z
      .object({
        name: z.string(),
        id: z.uuid().optional().openapi({ description: 'Absent until the task is enqueued' }),
        state: z.enum(taskStates).optional().openapi({ description: 'Absent if the task is deleted' }),
      })
      .optional()
      .openapi({ description: 'The final task, if it has one' }),
    traceId: z.string().optional(),
    requestId: z.string().optional(),
    subject: z.string().optional().openapi({ description: 'The caller who enqueued it' }),
    revision: z.string().optional(),
  })
  .openapi('RuntimeBatch', { example })

const BatchPage = z
  .object({
    items: z.array(Batch),
    nextCursor: z.string().optional().openapi({ description: 'Absent on the last page' }),
  })
  .openapi('RuntimeBatchPage', { example: { items: [example] } })

const batchParams = z.object({ id: z.uuid().openapi({ example: example.id }) })

export const listBatchesRoute = defineRoute({
  method: 'get',
  path: '/runtime/batches',
  operationId: 'runtimeListBatches',
  summary: 'List batches: those that are open, newest first; then the others, the last to end first',
  security: operatorSecurity,
  request: {
    query: z.strictObject({
      limit: z.int().min(1).max(100).default(20),
      cursor: cursorParameter(byEnd).optional(),
    }),
  },
  responses: { 200: json('A page of batches', BatchPage) },
})

export const getBatchRoute = defineRoute({
  method: 'get',
  path: '/runtime/batches/{id}',
  operationId: 'runtimeGetBatch',
  summary: 'Show how far a batch is. GET /runtime/tasks?batch={id} lists its tasks',
  security: operatorSecurity,
  request: { params: batchParams },
  responses: { 200: json('The batch', Batch) },
  problems: [batchProblems.RUNTIME_BATCH_NOT_FOUND],
})

export const cancelBatchRoute = defineRoute({
  method: 'post',
  path: '/runtime/batches/{id}/cancel',
  operationId: 'runtimeCancelBatch',
  summary: 'Cancel the tasks of a batch that have not started',
  description:
    'Those that have started end as they do. Then the batch ends, and its final task is enqueued. Cancelling a batch that is cancelled ' +
    'and still open changes nothing and returns 200.',
  security: operatorSecurity,
  request: { params: batchParams },
  responses: { 200: json('The batch', Batch) },
  problems: [batchProblems.RUNTIME_BATCH_NOT_FOUND, batchProblems.RUNTIME_BATCH_OVER],
})
