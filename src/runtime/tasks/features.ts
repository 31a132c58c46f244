import type { Context } from 'hono'
import { pageOf } from '../database/cursor.ts'
import type { BaseEnv } from '../http/env.ts'
import { handle } from '../routes/route.ts'
import { defineRouteGroup, type RouteGroup } from '../routes/route-group.ts'
import { findBatch } from './batches.ts'
import type { CallbackOutcome } from './callback.ts'
import { callbackRoute, tickRoute } from './callback-routes.ts'
import { forceCancelTask } from './force-cancel.ts'
import { handOverCancelled } from './hand-over.ts'
import { listTasks } from './list-tasks.ts'
import { logAction } from './log-action.ts'
import * as operators from './operators.ts'
import { addToOutbox } from './outbox.ts'
import { presentDetails, presentTask } from './present-task.ts'
import * as routes from './routes.ts'
import type { TickResult } from './tick.ts'
import type { Dispatch } from './transitions.ts'

/** The routes for operators: list, show, redrive and cancel tasks. */
export const operatorFeature: RouteGroup = defineRouteGroup({
  name: 'runtime.tasks',
  description: 'The background tasks, for operators.',
  problems: routes.taskProblems,
  routes: ({ database }) => [
    handle(routes.listTasksRoute, async (c) => {
      const { limit, ...page } = c.req.valid('query')
      const rows = await listTasks(database, { ...page, limit: limit + 1 })
      return c.json(pageOf(rows, limit, presentTask), 200)
    }),

    handle(routes.getTaskRoute, async (c) => {
      const row = await operators.findTask(database, c.req.valid('param').id)
      const [steps, batch] = await Promise.all([
        operators.findSteps(database, row.id),
        row.batchId ? findBatch(database, row.batchId) : undefined,
      ])
      return c.json(presentDetails(row, steps, batch), 200)
    }),

    handle(routes.redriveTasksRoute, async (c) => {
      const { name } = c.req.valid('query')
      const { deliveries, more } = await operators.redriveTasks(database, name)
      for (const delivery of deliveries) addToOutbox(delivery)
      logAction(c.var, 'redrive', `${deliveries.length} × ${name}`, {
        tasks: { name, count: deliveries.length },
      })
      return c.json({ redriven: deliveries.length, more }, 200)
    }),

    handle(routes.redriveTaskRoute, async (c) => {
      const { id } = c.req.valid('param')
      const delivery = await operators.redriveTask(database, id, c.req.valid('query').from)
      addToOutbox(delivery)
      logAction(c.var, 'redrive', `${delivery.name}: task ${id}`, { task: { id, name: delivery.name } })
      return c.json(presentTask(await operators.findTask(database, id)), 200)
    }),

    handle(routes.cancelTaskRoute, async (c) => {
      const { row, delivery, was } = await forceCancelTask(database, c.req.valid('param').id, c.var)
      addToOutbox(delivery)
      const { id, name } = row
      if (!delivery) handOverCancelled(row, was)
      logAction(c.var, 'cancel', `${name}: task ${id}`, { task: { id, name } })
      return c.json(presentTask(row), 200)
    }),
  ],
})

/** The routes that Cloud Tasks and Cloud Scheduler call. */
export function callbackFeature(work: {
  run: (c: Context<BaseEnv>, dispatch: Dispatch) => Promise<CallbackOutcome>
  tick: (c: Context<BaseEnv>) => Promise<TickResult>
}): RouteGroup {
  return defineRouteGroup({
    name: 'runtime.callbacks',
    description: 'What Cloud Tasks and Cloud Scheduler call.',
    internal: true,
    routes: () => [
      handle(tickRoute, async (c) => c.json(await work.tick(c), 200)),
      handle(callbackRoute, async (c) => {
        const { name } = c.req.valid('param')
        const outcome = await work.run(c, { name, ...c.req.valid('json') })
        return c.json({ outcome }, 200)
      }),
    ],
  })
}
