import { randomUUID } from 'node:crypto'
import { onServer } from '#test/kit'

/** An order as the contract shows it. */
export interface Order {
  id: string
  item: string
  quantity: number
  status: 'placed' | 'fulfilled' | 'cancelled'
  createdAt: string
}

/** A page of orders as the contract shows it. */
export interface Page {
  items: Order[]
  nextCursor?: string
}

/** The start of what `insertOrders` makes: the newest order is the one most minutes after it. */
export const firstTime = Date.UTC(2026, 0, 1)

/** A UUIDv7 of this moment, in milliseconds; nobody else's. */
export function idAt(time: number): string {
  const hex = time.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`
}

/**
 * Inserts orders past the service: a minute between each and the next, from `firstTime` on.
 *
 * @returns their ids, the oldest first
 */
export async function insertOrders(
  databaseUrl: string,
  owner: string,
  count: number,
  status: Order['status'] = 'placed',
): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => idAt(firstTime + index * 60_000))
  await onServer(
    databaseUrl,
    `insert into orders (id, owner, item, quantity, status)
      select id, $2, 'Teapot ' || number, 1, $3 from unnest($1::uuid[]) with ordinality as t (id, number)`,
    [ids, owner, status],
  )
  return ids
}

/** Marks an order as fulfilled, as the warehouse would. */
export async function fulfil(databaseUrl: string, id: string): Promise<void> {
  await onServer(databaseUrl, "update orders set status = 'fulfilled', version = version + 1 where id = $1", [
    id,
  ])
}
