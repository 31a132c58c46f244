import { and, asc, desc, eq, inArray, lt, sql } from 'drizzle-orm'
import { type Database, now, type Reader, type Transaction } from '#runtime'
import { announce } from './events.ts'
import { type OrderRow, orders } from './table.ts'

/** Inserts an order, as `placed`. */
export async function insertOrder(
  tx: Transaction,
  order: Pick<OrderRow, 'id' | 'owner' | 'item' | 'quantity' | 'taskId'>,
): Promise<OrderRow> {
  const [row] = await tx.insert(orders).values(order).returning()
  await announce(tx, 'placed', row)
  return row as OrderRow
}

/**
 * Prepares the query that finds an owner's order. It is built once, at its first use: building a query costs more than
 * running it.
 */
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

/** Finds an owner's order, inside a transaction. */
export async function findOrder(tx: Transaction, owner: string, id: string): Promise<OrderRow | undefined> {
  const [row] = await tx
    .select()
    .from(orders)
    .where(and(eq(orders.id, id), eq(orders.owner, owner)))
  return row
}

/** Lists the owner's orders that are older than the cursor's, newest first. */
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
 * Cancels an owner's order if it is still placed and has one of the given versions. The UPDATE itself checks both, so
 * that no other change can come in between.
 *
 * @param versions any version, if absent
 * @returns the order as it is now; `undefined` if nothing was changed
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
  await announce(tx, 'cancelled', row)
  return row
}

/** Finds an order that is still placed. It may belong to any owner. */
export async function findPlacedOrder(database: Reader, id: string): Promise<OrderRow | undefined> {
  const [row] = await database
    .select()
    .from(orders)
    .where(and(eq(orders.id, id), eq(orders.status, 'placed')))
  return row
}

/** Marks a placed order as fulfilled. */
export async function markFulfilled(tx: Transaction, id: string): Promise<void> {
  await setStatus(tx, id, 'fulfilled')
}

/**
 * Lists orders that have been `placed` for 30 days, the oldest first.
 *
 * @param after lists only the orders after this one, if given
 */
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

/** Cancels a placed order. It may belong to any owner. */
export async function cancelStaleOrder(tx: Transaction, id: string): Promise<void> {
  await setStatus(tx, id, 'cancelled')
}

async function setStatus(tx: Transaction, id: string, status: 'fulfilled' | 'cancelled'): Promise<void> {
  const [row] = await tx
    .update(orders)
    .set({ status, version: sql`${orders.version} + 1` })
    .where(and(eq(orders.id, id), eq(orders.status, 'placed')))
    .returning()
  await announce(tx, status, row)
}
