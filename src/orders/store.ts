import { randomUUIDv7 } from 'node:crypto'
import { and, desc, eq, inArray, lt, sql } from 'drizzle-orm'
import type { Database, Transaction } from '#src/runtime/database/database.ts'
import { type OrderRow, orders } from './table.ts'

/** Inserts an order of `owner`, as `placed`. */
export async function insertOrder(
  tx: Transaction,
  owner: string,
  order: { item: string; quantity: number },
): Promise<OrderRow> {
  const [row] = await tx
    .insert(orders)
    .values({ id: randomUUIDv7(), owner, ...order })
    .returning()
  return row as OrderRow
}

/** Finds an order of its owner: built once, when it is first needed, since building a query
 * costs more than running it. */
export function prepareFindOrder(database: Database) {
  const prepare = () =>
    database
      .select()
      .from(orders)
      .where(and(eq(orders.id, sql.placeholder('id')), eq(orders.owner, sql.placeholder('owner'))))
      .prepare('find_order')
  let query: ReturnType<typeof prepare> | undefined
  return async (owner: string, id: string): Promise<OrderRow | undefined> => {
    query ??= prepare()
    const [row] = await query.execute({ owner, id })
    return row
  }
}

/** The owner's orders older than the cursor's, newest first. */
export function listOrders(
  database: Database,
  owner: string,
  page: { limit: number; cursor?: string | undefined; status?: OrderRow['status'] | undefined },
): Promise<OrderRow[]> {
  const { limit, cursor, status } = page
  return database
    .select()
    .from(orders)
    .where(
      and(
        eq(orders.owner, owner),
        cursor ? lt(orders.id, cursor) : undefined,
        status ? eq(orders.status, status) : undefined,
      ),
    )
    .orderBy(desc(orders.id))
    .limit(limit)
}

/**
 * Cancels an order of its owner if it is still placed, at one of these versions if any are given: checked in
 * the UPDATE itself, so that nobody can slip in between.
 *
 * @returns the order as it is now; `undefined` where nothing was changed
 */
export async function cancelPlacedOrder(
  database: Database,
  owner: string,
  id: string,
  versions: number[] | undefined,
): Promise<OrderRow | undefined> {
  const [row] = await database
    .update(orders)
    .set({ status: 'cancelled', version: sql`${orders.version} + 1` })
    .where(
      and(
        eq(orders.id, id),
        eq(orders.owner, owner),
        eq(orders.status, 'placed'),
        versions && inArray(orders.version, versions),
      ),
    )
    .returning()
  return row
}
