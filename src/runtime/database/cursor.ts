import { z } from '@hono/zod-openapi'

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

/** 16 bytes in base64url: the last character holds two bits. */
const written = /^[\w-]{21}[AQgw]$/

/** An opaque cursor that stands for a row's UUID: 22 characters. */
export function encodeCursor(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')
}

/** The UUID behind a cursor; `undefined` for anything that `encodeCursor` did not write. */
export function decodeCursor(cursor: string): string | undefined {
  const hex = Buffer.from(cursor, 'base64url').toString('hex')
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return uuid.test(id) && encodeCursor(id) === cursor ? id : undefined
}

/**
 * A page of a list by id.
 *
 * @param rows one more than `limit`, where there are more
 * @returns as the contract shows it; `nextCursor` only where there is a next page
 */
export function pageOf<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => Item,
): { items: Item[]; nextCursor?: string } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const next = rows.length > limit && last ? { nextCursor: encodeCursor(last.id) } : {}
  return { items: items.map(present), ...next }
}

/** A query parameter that continues a list: takes a cursor, gives the id to go on from. */
export function cursorParameter() {
  return z
    .string()
    .transform((cursor, check) => {
      const id = decodeCursor(cursor)
      if (id !== undefined) return id
      check.addIssue({ code: 'custom', message: 'must be a nextCursor of an earlier answer' })
      return z.NEVER
    })
    .openapi({
      type: 'string',
      pattern: written.source,
      description: 'The `nextCursor` of the previous page',
    })
}
