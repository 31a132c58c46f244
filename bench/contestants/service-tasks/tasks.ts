import { eq } from 'drizzle-orm'
import { findPlacedOrder, markFulfilled } from '../../../src/orders/store.ts'
import { orders } from '../../../src/orders/table.ts'
import { fulfilOrder } from '../../../src/orders/tasks.ts'
import { defineFeature, defineTask, enqueueMany, z } from '../../../src/runtime/index.ts'

/** Fulfils an order in five steps. The first reads it, three store a small result, the last one marks it. */
export const fiveSteps = defineTask({
  name: 'bench.five-steps',
  payload: z.object({ orderId: z.uuid() }),
  async run({ payload: { orderId }, database, step }) {
    const Order = z.object({ item: z.string(), quantity: z.number() }).nullable()
    const order = await step('find', Order, async () => {
      const row = await findPlacedOrder(database, orderId)
      return row ? { item: row.item, quantity: row.quantity } : null
    })
    if (!order) return
    const Count = z.object({ count: z.number() })
    for (const name of ['reserve', 'pack', 'label'])
      await step(name, Count, async () => ({ count: order.quantity }))
    await step('fulfil', async () => (tx) => markFulfilled(tx, orderId))
  },
})

/** Enqueues a task for each order that waits. */
export const fanOut = defineTask({
  name: 'bench.fan-out',
  payload: z.object({}),
  async run({ database }) {
    const waiting = await database
      .select({ orderId: orders.id })
      .from(orders)
      .where(eq(orders.status, 'placed'))
    return (tx) => enqueueMany(tx, fulfilOrder, waiting)
  },
})

/** The feature that brings both. */
export const benchTasks = defineFeature({
  ...{ name: 'bench', description: 'Tasks of the benchmark.', routes: () => [] },
  tasks: [fiveSteps, fanOut],
})
