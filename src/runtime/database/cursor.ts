import { z } from '@hono/zod-openapi'
import type { Sort, SortPosition } from './sort.ts'

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

/** 16 bytes in base64url. The last character holds two bits only. */
const cursorPattern = /^[\w-]{21}[AQgw]$/

/**
 * Encodes a row's UUID as an opaque cursor of 22 characters.
 *
 * @example
 * encodeCursor('01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f') // → 'AZMrHHoAfD6NX1obLD1OXw'
 */
export function encodeCursor(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')
}

/**
 * Decodes a cursor. Returns `undefined` for any text that `encodeCursor` did not write.
 *
 * @example
 * decodeCursor('AZMrHHoAfD6NX1obLD1OXw') // → '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f'
 * decodeCursor('page 2') // → undefined
 */
export function decodeCursor(cursor: string): string | undefined {
  const hex = Buffer.from(cursor, 'base64url').toString('hex')
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return uuid.test(id) && encodeCursor(id) === cursor ? id : undefined
}

/**
 * Builds the body of one page of a list.
 *
 * @param rows the rows of the page, and one more if there is a next page: query with `limit + 1`
 * @param present turns a row into an item of the response
 * @param sort how the rows are sorted. By their UUID alone, if absent
 * @returns `nextCursor` only if there is a next page
 * @example
 * pageOf([order], 20, ({ item }) => item) // → { items: ['Teapot'] }
 */
export function pageOf<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => Item,
): { items: Item[]; nextCursor?: string }
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => Item,
  sort: Pick<Sort<Row>, 'encode'>,
): { items: Item[]; nextCursor?: string }
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => Item,
  sort?: Pick<Sort<Row>, 'encode'>,
): { items: Item[]; nextCursor?: string } {
  const encode = sort ? sort.encode : (row: Row) => encodeCursor((row as { id: string }).id)
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const next = rows.length > limit && last ? { nextCursor: encode(last) } : {}
  return { items: items.map(present), ...next }
}

/**
 * The schema of a query parameter that takes a cursor. The handler gets the UUID; with a sort, what `sort.after` takes. A
 * cursor that another list or another sort has written is a 400 VALIDATION_FAILED.
 *
 * @param sort how the list is sorted. By its UUID alone, if absent
 * @example
 * const query = z.strictObject({ cursor: cursorParameter().optional() })
 * query.parse({ cursor: 'AZMrHHoAfD6NX1obLD1OXw' }).cursor // → '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f'
 */
export function cursorParameter(): z.ZodType<string, string>
export function cursorParameter(sort: Pick<Sort, 'decode'>): z.ZodType<SortPosition, string>
export function cursorParameter(sort?: Pick<Sort, 'decode'>): z.ZodType<string | SortPosition, string> {
  const decode: (cursor: string) => string | SortPosition | undefined = sort ? sort.decode : decodeCursor
  return z
    .string()
    .transform((cursor, check) => {
      const position = decode(cursor)
      if (position !== undefined) return position
      check.addIssue({ code: 'custom', message: 'must be a nextCursor of an earlier response' })
      return z.NEVER
    })
    .openapi({
      type: 'string',
      pattern: sort ? '^[\\w-]+$' : cursorPattern.source,
      description: 'The `nextCursor` of the previous page',
    })
}
