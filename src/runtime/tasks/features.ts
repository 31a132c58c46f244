import type { Context } from 'hono'
import { pageOf } from '../database/cursor.ts'
import type { BaseEnv } from '../http/env.ts'
import { handle } from '../routes/route.ts'
import { defineRouteGroup, type RouteGroup } from '../routes/route-group.ts'
import type { Outcome } from './callback.ts'
import type { Dispatch } from './ledger.ts'
import * as operators from './operators.ts'
import { leave } from './outbox.ts'
import * as routes from './routes.ts'
import type { TaskRow } from './table.ts'
import type { TickResult } from './tick.ts'

/** The routes for operators: list, show, redrive and cancel tasks. */
export const operatorFeature: RouteGroup = defineRouteGroup({
  name: 'runtime.tasks',
  description: 'The background tasks, for operators.',
  problems: routes.taskProblems,
  routes: ({ database }) => [
    handle(routes.listTasks, async (c) => {
      const { limit, ...page } = c.req.valid('query')
      const rows = await operators.listTasks(database, { ...page, limit: limit + 1 })
      return c.json(pageOf(rows, limit, present), 200)
    }),

    handle(routes.getTask, async (c) => {
      return c.json(present(await operators.findTask(database, c.req.valid('param').id)), 200)
    }),

    handle(routes.redriveTasks, async (c) => {
      const { alarms, more } = await operators.redriveTasks(database, c.req.valid('query').name)
      for (const alarm of alarms) leave(alarm)
      return c.json({ redriven: alarms.length, more }, 200)
    }),

    handle(routes.redriveTask, async (c) => {
      const { id } = c.req.valid('param')
      leave(await operators.redriveTask(database, id))
      return c.json(present(await operators.findTask(database, id)), 200)
    }),

    handle(routes.cancelTask, async (c) => {
      return c.json(present(await operators.cancelTask(database, c.req.valid('param').id)), 200)
    }),
  ],
})

/** The routes that Cloud Tasks and Cloud Scheduler call. */
export function callbackFeature(work: {
  run: (c: Context<BaseEnv>, dispatch: Dispatch) => Promise<Outcome>
  tick: (c: Context<BaseEnv>) => Promise<TickResult>
}): RouteGroup {
  return defineRouteGroup({
    name: 'runtime.callbacks',
    description: 'What Cloud Tasks and Cloud Scheduler call.',
    internal: true,
    routes: () => [
      handle(routes.tickRoute, async (c) => c.json(await work.tick(c), 200)),
      handle(routes.callbackRoute, async (c) => {
        const { name } = c.req.valid('param')
        const outcome = await work.run(c, { name, ...c.req.valid('json') })
        return c.json({ outcome }, 200)
      }),
    ],
  })
}

function present(row: TaskRow) {
  const { id, name, state, attempts, dispatch } = row
  const optional = { key: row.key, lastError: row.lastError, finishedAt: row.finishedAt?.toISOString() }
  const origin = {
    traceId: row.traceId,
    requestId: row.requestId,
    subject: row.subject,
    revision: row.revision,
  }
  return {
    ...{ id, name, state, attempts, dispatch },
    dueAt: row.dueAt.toISOString(),
    createdAt: row.createdAt.toISOString(),
    ...withoutNull({ ...optional, ...origin }),
  }
}

function withoutNull<Name extends string>(columns: Record<Name, string | null | undefined>) {
  const there = Object.entries(columns).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(there) as { [Column in Name]?: string }
}
