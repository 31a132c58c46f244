import { cancelTask, defineSchedule, defineTask, enqueue, type Task, z } from '#runtime'
import { mayHaveShipped } from './cancel.ts'
import { cancelStaleOrder, findPlacedOrder, listStaleOrders, markFulfilled } from './store.ts'
import { ship, warehouseVariables } from './warehouse.ts'

/** Ships an order by the warehouse and marks it fulfilled. Without WAREHOUSE_URL it only marks it. */
export const fulfilOrder = defineTask({
  name: 'orders.fulfil',
  payload: z.object({ orderId: z.uuid() }),
  variables: warehouseVariables,
  retry: { attempts: 8, backoff: { min: '5s', max: '10m' } },
  deadline: '30s',
  async run({ payload: { orderId }, database, config, idempotencyKey }) {
    const order = await findPlacedOrder(database, orderId)
    if (!order) return
    const { item, quantity } = order
    if (config.WAREHOUSE_URL) await ship(config.WAREHOUSE_URL, { orderId, item, quantity }, idempotencyKey)
    return (tx) => markFulfilled(tx, orderId)
  },
})

/** How many orders one task checks. It enqueues another task for the rest. */
const batchSize = 500

/**
 * Cancels orders that have been `placed` for 30 days, and their tasks. It does not cancel orders that the warehouse may
 * have shipped: an owner could not cancel these either.
 */
export const cancelStale: Task<z.ZodObject> = defineTask({
  name: 'orders.cancel-stale',
  payload: z.object({
    /** The last order that the previous task has checked. */
    after: z.object({ createdAt: z.iso.datetime(), id: z.uuid() }).optional(),
  }),
  async run({ payload: { after } }) {
    return async (tx) => {
      const stale = await listStaleOrders(tx, batchSize, after)
      for (const { id, taskId } of stale) {
        const task = taskId === null ? 'gone' : await cancelTask(tx, taskId)
        if (!mayHaveShipped(task)) await cancelStaleOrder(tx, id)
      }
      const last = stale[batchSize - 1]
      if (!last) return
      await enqueue(tx, cancelStale, { after: { createdAt: last.createdAt.toISOString(), id: last.id } })
    }
  },
})

/** Cancels stale orders once a night. */
export const nightly = defineSchedule({
  name: 'orders.nightly',
  cron: '30 3 * * *',
  timeZone: 'Europe/Berlin',
  task: cancelStale,
  payload: {},
})
