import { and, asc, desc, eq, inArray, lt, sql } from 'drizzle-orm'
import { type Database, now, type Reader, type Transaction } from '#runtime'
import { type OrderRow, orders } from './table.ts'

/** Inserts an order, as `placed`. */
export async function insertOrder(
  tx: Transaction,
  order: Pick<OrderRow, 'id' | 'owner' | 'item' | 'quantity' | 'taskId'>,
): Promise<OrderRow> {
  const [row] = await tx.insert(orders).values(order).returning()
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

/** Finds an order of its owner inside a transaction. */
export async function findOrder(tx: Transaction, owner: string, id: string): Promise<OrderRow | undefined> {
  const [row] = await tx
    .select()
    .from(orders)
    .where(and(eq(orders.id, id), eq(orders.owner, owner)))
  return row
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
  tx: Transaction,
  owner: string,
  id: string,
  versions: number[] | undefined,
): Promise<OrderRow | undefined> {
  const [row] = await tx
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

/** An order of anybody's that is still to be fulfilled. */
export async function findPlacedOrder(database: Reader, id: string): Promise<OrderRow | undefined> {
  const [row] = await database
    .select()
    .from(orders)
    .where(and(eq(orders.id, id), eq(orders.status, 'placed')))
  return row
}

/** Marks a placed order as fulfilled. */
export async function markFulfilled(tx: Transaction, id: string): Promise<void> {
  await settle(tx, id, 'fulfilled')
}

/** Orders that have been `placed` for 30 days, the oldest first; those after one of them, if it is given. */
export function listStaleOrders(
  tx: Transaction,
  limit: number,
  after?: { createdAt: string; id: string },
): Promise<OrderRow[]> {
  const { createdAt, id } = orders
  return tx
    .select()
    .from(orders)
    .where(
      and(
        eq(orders.status, 'placed'),
        lt(createdAt, sql`${now} - interval '30 days'`),
        after && sql`(${createdAt}, ${id}) > (${after.createdAt}::timestamptz, ${after.id}::uuid)`,
      ),
    )
    .orderBy(asc(createdAt), asc(id))
    .limit(limit)
}

/** Cancels a placed order, whoever owns it. */
export async function cancelStaleOrder(tx: Transaction, id: string): Promise<void> {
  await settle(tx, id, 'cancelled')
}

async function settle(tx: Transaction, id: string, status: 'fulfilled' | 'cancelled'): Promise<void> {
  await tx
    .update(orders)
    .set({ status, version: sql`${orders.version} + 1` })
    .where(and(eq(orders.id, id), eq(orders.status, 'placed')))
}
