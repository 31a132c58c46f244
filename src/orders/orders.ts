import {
  defineFeature,
  entityTag,
  handle,
  location,
  matchedVersions,
  noneMatch,
  Problem,
  pageOf,
} from '#runtime'
import { cancelOrder } from './cancel.ts'
import { importRoutes } from './imports/imports.ts'
import { importLine, importOrders, reportImport } from './imports/tasks.ts'
import { placeOrder } from './place.ts'
import { importProblems, orderProblems } from './problems.ts'
import * as routes from './routes.ts'
import { presentOrder } from './schemas.ts'
import { findOrder, listOrders } from './store.ts'
import { cancelStale, fulfilOrder, nightly } from './tasks.ts'

/** The example feature: delete it, or copy it. */
export const orders = defineFeature({
  name: 'orders',
  description: 'Orders. Callers see only their own.',
  problems: { ...orderProblems, ...importProblems },
  tasks: [fulfilOrder, cancelStale, importOrders, importLine, reportImport],
  schedules: [nightly],
  routes({ database }) {
    return [
      handle(routes.placeOrder, async (c) => {
        const { tx, caller } = c.var
        const row = await placeOrder(tx, { owner: caller.subject, ...c.req.valid('json') })
        return c.json(presentOrder(row), 201, {
          Location: location(c, row.id),
          ETag: entityTag(row.version),
        })
      }),

      handle(routes.listOrders, async (c) => {
        const { limit, ...page } = c.req.valid('query')
        const owner = c.var.caller.subject
        const rows = await listOrders(database, { owner, ...page, limit: limit + 1 })
        return c.json(pageOf(rows, limit, presentOrder), 200)
      }),

      handle(routes.getOrder, async (c) => {
        const row = await findOrder(database, c.var.caller.subject, c.req.valid('param').id)
        if (!row) throw new Problem(orderProblems.ORDER_NOT_FOUND)
        const ETag = entityTag(row.version)
        if (!noneMatch(c.req.valid('header')['if-none-match'], ETag)) return c.body(null, 304, { ETag })
        return c.json(presentOrder(row), 200, { ETag })
      }),

      handle(routes.cancelOrder, async (c) => {
        const { id } = c.req.valid('param')
        const { subject } = c.var.caller
        const versions = matchedVersions(c.req.valid('header')['if-match'])
        const row = await cancelOrder(database, subject, id, versions)
        return c.json(presentOrder(row), 200, { ETag: entityTag(row.version) })
      }),

      ...importRoutes(database),
    ]
  },
})
