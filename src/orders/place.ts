import { randomUUIDv7 } from 'node:crypto'
import { enqueue, type Transaction } from '#runtime'
import { insertOrder } from './store.ts'
import type { OrderRow } from './table.ts'
import { fulfilOrder } from './tasks.ts'

/** How long a customer can certainly cancel. After that, the warehouse may have the order. */
const cancelPeriod = '5s'

/** Places an order, and enqueues the task that fulfils it. All orders are placed here. */
export async function placeOrder(
  tx: Transaction,
  order: Pick<OrderRow, 'owner' | 'item' | 'quantity'>,
): Promise<OrderRow> {
  const id = randomUUIDv7()
  const { id: taskId } = await enqueue(tx, fulfilOrder, { orderId: id }, { delay: cancelPeriod })
  return insertOrder(tx, { id, taskId, ...order })
}
