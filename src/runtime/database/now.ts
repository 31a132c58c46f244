import { type Placeholder, type SQL, sql } from 'drizzle-orm'

/**
 * The current time of the database: the one clock that all instances share. It is a function in the database, created by
 * a migration, so that tests can move the clock.
 *
 * @example
 * import { lt } from 'drizzle-orm'
 * const overdue = await database.select().from(orders).where(lt(orders.dueAt, now))
 */
export const now: SQL<Date> = sql<Date>`runtime.service_now()`

/**
 * The time that is `milliseconds` after now, by the database's clock. A negative number gives a time in the past.
 *
 * @example
 * await tx.insert(orders).values({ item: 'Teapot', dueAt: fromNow(60_000) })
 */
export function fromNow(milliseconds: number | Placeholder): SQL<Date> {
  return sql<Date>`runtime.service_now() + ${milliseconds} * interval '1 millisecond'`
}
