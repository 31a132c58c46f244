import { cancelTask, defineSchedule, defineTask, enqueue, type Task, z } from '#runtime'
import { mayBeOnItsWay } from './cancel.ts'
import { cancelStaleOrder, findPlacedOrder, listStaleOrders, markFulfilled } from './store.ts'
import { ship, warehouseVariables } from './warehouse.ts'

/** Has the warehouse send an order, and marks it fulfilled. Without a warehouse it only marks it. */
export const fulfilOrder = defineTask({
  name: 'orders.fulfil',
  payload: z.object({ orderId: z.uuid() }),
  variables: warehouseVariables,
  retry: { attempts: 8, backoff: { min: '5s', max: '10m' } },
  deadline: '30s',
  async run({ payload: { orderId }, database, config, signal, idempotencyKey }) {
    const order = await findPlacedOrder(database, orderId)
    if (!order) return
    const { item, quantity } = order
    if (config.WAREHOUSE_URL) {
      await ship(config.WAREHOUSE_URL, { orderId, item, quantity }, { signal, idempotencyKey })
    }
    return (tx) => markFulfilled(tx, orderId)
  },
})

/** How many orders one attempt looks at: the rest is for a further task. */
const batch = 500

/**
 * Cancels orders that stayed `placed` for 30 days, and their tasks with them; not those that may be on their way, which
 * an owner could not cancel either.
 */
export const cancelStale: Task<z.ZodObject> = defineTask({
  name: 'orders.cancel-stale',
  payload: z.object({
    /** The last order that a task before this one has looked at. */
    after: z.object({ createdAt: z.iso.datetime(), id: z.uuid() }).optional(),
  }),
  async run({ payload: { after } }) {
    return async (tx) => {
      const stale = await listStaleOrders(tx, batch, after)
      for (const { id, taskId } of stale) {
        const task = taskId === null ? 'gone' : await cancelTask(tx, taskId)
        if (!mayBeOnItsWay(task)) await cancelStaleOrder(tx, id)
      }
      const last = stale[batch - 1]
      if (!last) return
      await enqueue(tx, cancelStale, { after: { createdAt: last.createdAt.toISOString(), id: last.id } })
    }
  },
})

/** Once a night. */
export const nightly = defineSchedule({
  name: 'orders.nightly',
  cron: '30 3 * * *',
  timeZone: 'Europe/Berlin',
  task: cancelStale,
  payload: {},
})
