import { type SQL, sql } from 'drizzle-orm'

/**
 * The present as the database sees it, the one clock that all instances share. It is a function of the
 * database, made by a migration, so that a test can move it and nothing else can.
 */
export const now: SQL<Date> = sql<Date>`runtime.service_now()`

/** A moment so many milliseconds from now; before now where negative. */
export function fromNow(milliseconds: number): SQL<Date> {
  return sql<Date>`runtime.service_now() + ${milliseconds} * interval '1 millisecond'`
}
