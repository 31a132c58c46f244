import { type Placeholder, sql } from 'drizzle-orm'
import type { Database, Transaction } from './database.ts'
import type { Reader } from './reader.ts'

/** What stands for the values while a query is built. A value that is not given is `undefined` here too. */
export type QueryValues<Values> = {
  readonly [Name in keyof Values]:
    | Placeholder<Name & string>
    | (undefined extends Values[Name] ? undefined : never)
}

/** A query of Drizzle's. */
interface Query<Result> {
  prepare(name: string): Prepared<Result>
}

interface Prepared<Result> {
  readonly client?: unknown
  execute(values: Record<string, unknown>): Promise<Result>
}

/**
 * Defines a query that is built once, and sent often. Drizzle takes as long to build a query as PostgreSQL to run a short one
 * (decision 43). Write it as any other query; only the values come later, at each call.
 *
 * A value that a call leaves out, or gives as `undefined`, is `undefined` in `build`: the query is built once for each set of
 * values that are given. `build` must not use anything else that changes.
 *
 * @param build builds the query. A placeholder goes to the driver as it is given, without the column's own mapping
 * @returns a function that runs the query on the database, a transaction or a reader
 * @example
 * const listOrders = defineQuery((db, { item, limit }: QueryValues<{ item?: string; limit: number }>) =>
 *   db.select().from(orders).where(item && eq(orders.item, item)).limit(limit),
 * )
 * const rows = await listOrders(database, { item: 'Teapot', limit: 20 })
 */
export function defineQuery<Values extends object, Result>(
  build: (database: Database, values: QueryValues<Values>) => Query<Result>,
): (on: Database | Transaction | Reader, values: Values) => Promise<Result> {
  const built = new Map<string, Prepared<Result>>()
  return async function query(on, values) {
    let key = '' // this runs at each call: lists would take longer
    for (const name in values) if (values[name] !== undefined) key += `${name} `
    let prepared = built.get(key)
    if (!prepared) {
      const given = key.split(' ').slice(0, -1)
      const placeholders = Object.fromEntries(given.map((name) => [name, sql.placeholder(name)]))
      prepared = build(on as Database, placeholders as QueryValues<Values>).prepare('') // the pool names it
      built.set(key, prepared)
    }
    return onClient(prepared, on as Database).execute(values as Record<string, unknown>)
  }
}

/** The prepared query, for another connection: Drizzle binds it to the one that it was built with. */
function onClient<Result>(prepared: Prepared<Result>, on: Database): Prepared<Result> {
  const { client } = on._.session as unknown as { readonly client: unknown }
  return prepared.client === client ? prepared : Object.assign(Object.create(prepared), { client })
}
