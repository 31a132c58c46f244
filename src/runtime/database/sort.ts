import { createHash } from 'node:crypto'
import {
  type AnyColumn,
  asc,
  desc,
  getTableColumns,
  getTableName,
  type SQL,
  sql,
  type Table,
} from 'drizzle-orm'
import { sortValue } from './sort-values.ts'

/** The columns that a list is sorted by, by their names in the table, each with its direction. */
type Columns<Source extends Table> = {
  readonly [Name in keyof Source['$inferSelect']]?: 'asc' | 'desc'
}

/** A position in a sorted list: what a cursor says. */
export type SortPosition = readonly (string | number | boolean | null)[]

/** The order of a list whose cursors say where a page ends. See `defineSort`. */
export interface Sort<Row = never> {
  /** For `.orderBy(...sort.orderBy)`. */
  readonly orderBy: SQL[]
  /** For `.where(…)`: the rows after a position; all, if it is absent. */
  after(position: SortPosition | undefined): SQL | undefined
  /** The cursor of a row, in characters that a URL takes as they are. */
  encode(row: Row): string
  /** The position that a cursor of this sort names. Any other text is `undefined`. */
  decode(cursor: string): SortPosition | undefined
}

/** Cursors are in URLs: what is longer would meet limits on the way. */
const maxCursorLength = 2000

interface Key {
  readonly name: string
  readonly column: AnyColumn
  readonly isDescending: boolean
}

/**
 * Defines how a list is sorted by columns other than its id alone. Rows with equal values are sorted by the next column, and
 * the last column is unique. So a page starts exactly after the row that the cursor names, whatever was inserted meanwhile.
 * NULL is larger than all values, as in PostgreSQL: last with `asc`, first with `desc`.
 *
 * An index on the same columns in the same order serves each page, if no column takes NULL and all have one direction.
 *
 * @param columns the columns by their names in `table`, in the order of the sort
 * @returns what `cursorParameter(sort)`, `pageOf(…, sort)` and the query take
 * @throws {Error} if the last column is not unique, or the values of one cannot be in a cursor
 * @example
 * const byItem = defineSort(orders, { item: 'asc', id: 'asc' })
 * const query = z.strictObject({ cursor: cursorParameter(byItem).optional() })
 * const { cursor } = query.parse({})
 * const rows = database.select().from(orders).where(byItem.after(cursor)).orderBy(...byItem.orderBy).limit(21)
 * const page = pageOf(await rows, 20, ({ item }) => item, byItem)
 */
export function defineSort<Source extends Table>(
  table: Source,
  columns: Columns<Source>,
): Sort<Source['$inferSelect']> {
  const keys = keysOf(table, columns)
  const schemas = keys.map(({ name, column }) => sortValue(`${getTableName(table)}.${name}`, column))
  const order = keys.map(({ name, isDescending }) => `${isDescending ? '-' : ''}${name}`).join()
  const mark = createHash('sha256')
    .update(`${getTableName(table)} ${order}`)
    .digest('base64url')
    .slice(0, 4)
  return {
    orderBy: keys.map(({ column, isDescending }) => (isDescending ? desc(column) : asc(column))),
    after: (position) => position && after(keys, position),
    encode(row) {
      const values = keys.map(({ name }) => toJson(row[name as keyof typeof row]))
      return Buffer.from(JSON.stringify([mark, ...values])).toString('base64url')
    },
    decode(cursor) {
      const [first, ...values] = parse(cursor)
      if (first !== mark || values.length !== keys.length) return undefined
      const fit = schemas.every((schema, index) => schema.safeParse(values[index]).success)
      return fit ? (values as (string | number | boolean | null)[]) : undefined
    },
  }
}

function keysOf<Source extends Table>(table: Source, columns: Columns<Source>): Key[] {
  const known = getTableColumns(table)
  const keys = Object.entries(columns).map(([name, direction]) => {
    const column = known[name]
    if (!column) throw new Error(`The table ${getTableName(table)} has no column ${name}.`)
    return { name, column, isDescending: direction === 'desc' }
  })
  const last = keys.at(-1)
  if (!last || !(last.column.primary || last.column.isUnique) || !last.column.notNull)
    throw new Error(
      `A sort of ${getTableName(table)} ends with ${last?.name ?? 'no column'}, which is not unique, so that a page could ` +
        "leave rows out: add the primary key as the last column, such as { …, id: 'asc' }.",
    )
  return keys
}

/**
 * `(a, b) > (1, 2)`, which one index serves; else a comparison for each column, with those before it equal. The first column
 * also gets a bound that an index serves: without it, each page would read all pages before it.
 */
function after(keys: readonly Key[], position: SortPosition): SQL {
  const [{ isDescending } = { isDescending: false }] = keys
  const isPlain = keys.every(({ column, isDescending: other }) => column.notNull && other === isDescending)
  if (isPlain) {
    const columns = sql.join(
      keys.map(({ column }) => sql`${column}`),
      sql`, `,
    )
    const values = sql.join(
      position.map((value) => sql`${value}`),
      sql`, `,
    )
    return isDescending ? sql`(${columns}) < (${values})` : sql`(${columns}) > (${values})`
  }
  const cases = keys.map((key, index) => {
    const equal = keys.slice(0, index).map(({ column }, at) => isEqual(column, position[at]))
    return sql`(${sql.join([...equal, isAfter(key, position[index])], sql` and `)})`
  })
  const isAnyCase = sql`(${sql.join(cases, sql` or `)})`
  const bound = keys[0] && boundOf(keys[0], position[0])
  return bound ? sql`(${bound} and ${isAnyCase})` : isAnyCase
}

/** A bound of the first column that all rows after a position keep, if there is one. */
function boundOf({ column, isDescending }: Key, value: unknown): SQL | undefined {
  if (value === null) return undefined
  if (isDescending) return sql`${column} <= ${value}`
  return column.notNull ? sql`${column} >= ${value}` : undefined
}

function isEqual(column: AnyColumn, value: unknown): SQL {
  return value === null ? sql`${column} is null` : sql`${column} = ${value}`
}

/** NULL is larger than all values. */
function isAfter({ column, isDescending }: Key, value: unknown): SQL {
  if (value === null) return isDescending ? sql`${column} is not null` : sql`false`
  if (isDescending) return sql`${column} < ${value}`
  return column.notNull ? sql`${column} > ${value}` : sql`(${column} > ${value} or ${column} is null)`
}

function toJson(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'bigint' ? `${value}` : (value ?? null)
}

function parse(cursor: string): unknown[] {
  if (cursor.length > maxCursorLength || !/^[\w-]+$/.test(cursor)) return []
  try {
    const text = Buffer.from(cursor, 'base64url').toString()
    const value: unknown = JSON.parse(text)
    const isCanonical = Buffer.from(JSON.stringify(value)).toString('base64url') === cursor
    return Array.isArray(value) && isCanonical ? value : []
  } catch {
    return []
  }
}
