import { z } from 'zod'
import { cancelTask } from '#src/runtime/tasks/cancel.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineSchedule } from '#src/runtime/tasks/schedule.ts'
import { defineTask, type Task } from '#src/runtime/tasks/task.ts'
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

/** How many orders one attempt cancels: the rest is for a further task. */
const batch = 500

/**
 * Cancels orders that stayed `placed` for 30 days, and their tasks with them; not those whose task is still being
 * tried, since the parcel may be on its way.
 */
export const cancelStale: Task<z.ZodObject> = defineTask({
  name: 'orders.cancel-stale',
  payload: z.object({}),
  async run() {
    return async (tx) => {
      const stale = await listStaleOrders(tx, batch)
      let cancelled = 0
      for (const { id, taskId } of stale) {
        const task = taskId === null ? 'gone' : await cancelTask(tx, taskId)
        if (task === 'started') continue
        await cancelStaleOrder(tx, id)
        cancelled++
      }
      if (stale.length === batch && cancelled > 0) await enqueue(tx, cancelStale, {})
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
