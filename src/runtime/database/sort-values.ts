import { z } from '@hono/zod-openapi'
import type { AnyColumn } from 'drizzle-orm'

// What a cursor may say of a column. A value that the column could not hold would be an error of PostgreSQL, and so a 500.

const digits = /^-?\d+$/
/** PostgreSQL writes no year 0, and years after 9999 in another form. */
const moment = z.iso.datetime({ precision: 3 }).refine((text) => !text.startsWith('0000'))
const day = z.iso.date().refine((text) => !text.startsWith('0000'))
const noNul = z.string().refine((text) => !text.includes('\0') && text.isWellFormed())

const schemas: Readonly<Record<string, z.ZodType>> = {
  PgUUID: z.string().regex(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/),
  PgText: noNul,
  PgVarchar: noNul,
  PgBoolean: z.boolean(),
  PgSmallInt: z.int().min(-32_768).max(32_767),
  PgInteger: z.int32(),
  PgSerial: z.int32(),
  PgBigInt53: z.int(),
  PgBigSerial53: z.int(),
  PgBigInt64: z.string().regex(digits).refine(isBigint),
  PgBigSerial64: z.string().regex(digits).refine(isBigint),
  PgNumeric: z.string().regex(/^-?\d{1,500}(?:\.\d{1,500})?$/),
  PgTimestamp: moment,
  PgDate: moment,
  PgDateString: day,
}

function isBigint(text: string): boolean {
  return digits.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)
}

/**
 * The schema of a column's values in a cursor.
 *
 * @param name the column, for the message
 * @throws {Error} if a cursor cannot name each value of the column exactly
 */
export function sortValue(name: string, column: AnyColumn): z.ZodType {
  const { columnType, enumValues, notNull } = column
  if (columnType === 'PgTimestamp' && precisionOf(column) > 3)
    throw new Error(
      `${name} keeps microseconds, and a Date has milliseconds, so that a page could leave rows out: give the column ` +
        '{ precision: 3 }.',
    )
  const schema = enumValues && columnType !== 'PgArray' ? z.enum(enumValues) : schemas[columnType]
  if (!schema)
    throw new Error(
      `A list cannot be sorted by ${name}, whose type is ${columnType}: sort by a column that is one of ` +
        `${Object.keys(schemas).join(', ')} or an enum.`,
    )
  return notNull ? schema : schema.nullable()
}

function precisionOf(column: AnyColumn): number {
  return 'precision' in column && typeof column.precision === 'number' ? column.precision : 6
}
