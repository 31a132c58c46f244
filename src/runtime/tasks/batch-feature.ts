import { pageOf } from '../database/cursor.ts'
import type { Database } from '../database/database.ts'
import { afterCommit } from '../database/transaction.ts'
import { Problem } from '../kernel/problem.ts'
import { handle } from '../routes/route.ts'
import { defineRouteGroup, type RouteGroup } from '../routes/route-group.ts'
import * as routes from './batch-routes.ts'
import { byEnd, cancelBatch, type FullBatch, findFullBatch, listBatches } from './batches.ts'
import { logAction } from './log-action.ts'
import { withWork } from './operated-batches.ts'
import { presentBatch } from './present-batch.ts'

const { RUNTIME_BATCH_NOT_FOUND, RUNTIME_BATCH_OVER } = routes.batchProblems

/** The routes for operators of batches: list, show and cancel them. */
export const batchFeature: RouteGroup = defineRouteGroup({
  name: 'runtime.batches',
  description: 'The batches of tasks, for operators.',
  internal: true,
  problems: routes.batchProblems,
  routes: ({ database }) => [
    handle(routes.listBatchesRoute, async (c) => {
      const { limit, cursor } = c.req.valid('query')
      const rows = await withWork(database, await listBatches(database, { limit: limit + 1, cursor }))
      return c.json(pageOf(rows, limit, presentBatch, byEnd), 200)
    }),

    handle(routes.getBatchRoute, async (c) => {
      return c.json(await show(database, c.req.valid('param').id), 200)
    }),

    handle(routes.cancelBatchRoute, async (c) => {
      const { id } = c.req.valid('param')
      await database.transaction(async (tx) => {
        const { name, finishedAt } = await find(tx, id)
        if (finishedAt) throw new Problem(RUNTIME_BATCH_OVER)
        const count = await cancelBatch(tx, id)
        const fields = { batch: { id, name, count } }
        afterCommit(tx, () => logAction(c.var, 'cancel', `${count} × ${name}: batch ${id}`, fields))
      })
      return c.json(await show(database, id), 200)
    }),
  ],
})

async function find(database: Pick<Database, 'select'>, id: string): Promise<FullBatch> {
  const batch = await findFullBatch(database, id)
  if (!batch) throw new Problem(RUNTIME_BATCH_NOT_FOUND)
  return batch
}

async function show(database: Database, id: string) {
  const [batch] = await withWork(database, [await find(database, id)])
  if (!batch) throw new Problem(RUNTIME_BATCH_NOT_FOUND)
  return presentBatch(batch)
}
