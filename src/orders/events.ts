import type { Transaction } from '#runtime'
import { publish } from '../webhooks/publish.ts'
import { presentOrder } from './schemas.ts'
import type { OrderRow } from './table.ts'

/**
 * Tells the owner's webhooks what has become of an order, in the transaction that has changed it.
 *
 * @param row nothing is told if it is absent: then the transaction changed no order
 */
export async function announce(
  tx: Transaction,
  what: 'placed' | 'fulfilled' | 'cancelled',
  row: OrderRow | undefined,
): Promise<void> {
  if (row) await publish(tx, { type: `order.${what}`, owner: row.owner, data: presentOrder(row) })
}
