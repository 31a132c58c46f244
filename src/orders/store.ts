import { and, asc, desc, eq, inArray, lt, sql } from 'drizzle-orm'
import { type Database, defineQuery, now, type QueryValues, type Reader, type Transaction } from '#runtime'
import { announce } from './events.ts'
import { type OrderRow, orders } from './table.ts'

type NewOrderRow = Pick<OrderRow, 'id' | 'owner' | 'item' | 'quantity' | 'taskId'>

const insert = defineQuery((database, order: QueryValues<NewOrderRow>) =>
  database.insert(orders).values(order).returning(),
)

/** Inserts an order, as `placed`. */
export async function insertOrder(tx: Transaction, order: NewOrderRow): Promise<OrderRow> {
  const [row] = await insert(tx, order)
  await announce(tx, 'placed', row)
  return row as OrderRow
}

const find = defineQuery((database, { owner, id }: QueryValues<Pick<OrderRow, 'owner' | 'id'>>) =>
  database
    .select()
    .from(orders)
    .where(and(eq(orders.id, id), eq(orders.owner, owner))),
)

/** Finds an owner's order. */
export async function findOrder(
  database: Database | Transaction,
  owner: string,
  id: string,
): Promise<OrderRow | undefined> {
  const [row] = await find(database, { owner, id })
  return row
}

interface Page {
  readonly owner: string
  readonly limit: number
  readonly cursor?: string | undefined
  readonly status?: OrderRow['status'] | undefined
}

/** Lists the owner's orders that are older than the cursor's, newest first. */
export const listOrders = defineQuery((database, { owner, limit, cursor, status }: QueryValues<Page>) =>
  database
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
    .limit(limit),
)

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

const findPlaced = defineQuery((database, { id }: QueryValues<{ id: string }>) =>
  database
    .select()
    .from(orders)
    .where(and(eq(orders.id, id), eq(orders.status, 'placed'))),
)

/** Finds an order that is still placed. It may belong to any owner. */
export async function findPlacedOrder(database: Reader, id: string): Promise<OrderRow | undefined> {
  const [row] = await findPlaced(database, { id })
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

const update = defineQuery((database, { id, status }: QueryValues<Pick<OrderRow, 'id' | 'status'>>) =>
  database
    .update(orders)
    .set({ status: sql`${status}`, version: sql`${orders.version} + 1` })
    .where(and(eq(orders.id, id), eq(orders.status, 'placed')))
    .returning(),
)

async function setStatus(tx: Transaction, id: string, status: 'fulfilled' | 'cancelled'): Promise<void> {
  const [row] = await update(tx, { id, status })
  await announce(tx, status, row)
}
