import { cursorParameter, z } from '#runtime'
import { type OrderRow, orderStatuses } from './table.ts'

/** The body of a request that places an order. */
export const NewOrder = z
  .strictObject({
    item: z.string().min(1).max(100),
    quantity: z.int().min(1).max(1000),
  })
  .openapi('NewOrder', { example: { item: 'Teapot', quantity: 2 } })

const example = {
  id: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f',
  item: 'Teapot',
  quantity: 2,
  status: 'placed' as const,
  createdAt: '2026-11-22T09:30:00.000Z',
}

/** An order as its owner sees it. */
export const Order = z
  .object({
    id: z.uuid(),
    item: z.string(),
    quantity: z.int(),
    status: z.enum(orderStatuses),
    createdAt: z.iso.datetime(),
  })
  .openapi('Order', { example })

/** A page of orders, newest first. */
export const OrderPage = z
  .object({
    items: z.array(Order),
    nextCursor: z.string().optional().openapi({ description: 'Absent on the last page' }),
  })
  .openapi('OrderPage', { example: { items: [example], nextCursor: 'AZMrHHoAfD6NX1obLD1OXw' } })

/** The query of the list. */
export const OrderQuery = z.strictObject({
  limit: z.int().min(1).max(100).default(20),
  cursor: cursorParameter().optional(),
  status: z.enum(orderStatuses).optional(),
})

/** The path of one order. */
export const OrderParams = z.object({ id: z.uuid().openapi({ example: example.id }) })

/** A row as the contract shows it. */
export function presentOrder(row: OrderRow): z.infer<typeof Order> {
  const { id, item, quantity, status, createdAt } = row
  return { id, item, quantity, status, createdAt: createdAt.toISOString() }
}
