import { z } from '#runtime'
import { type ImportRow, importStates } from './table.ts'

/** How many lines a file may have. */
const maxLines = 5000
/** How many errors an import shows. */
export const maxErrors = 100

/** A CSV file of orders. Its lines end with LF afterwards. */
export const OrdersFile = z
  .string()
  .regex(
    /^"?item"?,"?quantity"?\r?\n\s*\S/u,
    'must begin with the line item,quantity and have orders below it',
  )
  .refine(
    (text) => text.split('\n', maxLines + 2).length < maxLines + 2,
    `may have ${maxLines} lines at most`,
  )
  .transform((text) => text.replaceAll('\r\n', '\n'))
  .openapi({
    description: `CSV as in RFC 4180, with a comma, in UTF-8: a header, and an order in each row. It may have ${maxLines} lines.`,
    example: 'item,quantity\nTeapot,2\n"Cup, blue",6\n',
  })

/** How far an import is. */
export const Import = z
  .object({
    id: z.uuid(),
    state: z.enum(importStates),
    rows: z.int().openapi({ description: 'The rows that are read so far' }),
    placed: z.int().openapi({ description: 'The orders that are placed so far' }),
    refused: z.int().openapi({ description: 'The rows that are no orders' }),
    errors: z
      .array(z.object({ line: z.int(), detail: z.string() }))
      .openapi({ description: `The first ${maxErrors} refused rows. The header is line 1` }),
    failure: z
      .string()
      .optional()
      .openapi({ description: 'Why the file cannot be read. Then no order is placed' }),
    createdAt: z.iso.datetime(),
  })
  .openapi('Import', {
    example: {
      ...{ id: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f', state: 'done', rows: 3, placed: 2, refused: 1 },
      errors: [{ line: 4, detail: 'It has 3 values in place of 2: item,quantity' }],
      createdAt: '2026-11-22T09:30:00.000Z',
    },
  })

/** The path of one import. */
export const ImportParams = z.object({
  id: z.uuid().openapi({ example: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f' }),
})

/** What is known of an import: its row, and its lines, counted. */
export type FoundImport = Pick<ImportRow, 'id' | 'state' | 'failure' | 'createdAt'> &
  Pick<z.infer<typeof Import>, 'rows' | 'placed' | 'refused' | 'errors'>

/** An import as the contract shows it. */
export function presentImport({ failure, createdAt, ...found }: FoundImport): z.infer<typeof Import> {
  return { ...found, ...(failure !== null && { failure }), createdAt: createdAt.toISOString() }
}
