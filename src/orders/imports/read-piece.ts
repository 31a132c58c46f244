import { NewOrder } from '../schemas.ts'
import type { ReadLine } from './table.ts'

/** A place in a file: behind so many bytes and lines. */
export interface Place {
  readonly bytes: number
  readonly lines: number
}

/** How many rows a piece has. To read one takes some milliseconds. */
const pieceSize = 500
/** In bytes. It ends the search for a quotation mark that is missing. */
const maxRowSize = 2000

/**
 * Reads the rows of a CSV file (RFC 4180, but with LF alone) from a place on, 500 at most.
 *
 * @returns the lines, and the place behind them; or why this cannot be read
 */
export async function readPiece(
  file: Buffer,
  start: Place,
): Promise<{ lines: ReadLine[]; end: Place } | { failure: string }> {
  const { CsvError, parse } = await import('csv-parse/sync') // no part of the start of an instance
  const found: ReadLine[] = []
  let end = start
  try {
    parse(file.subarray(start.bytes), {
      ...{ record_delimiter: '\n', relax_column_count: true, max_record_size: maxRowSize, to: pieceSize },
      on_record(row: string[], { bytes, lines }) {
        found.push(...readRow(row, end.lines + 1))
        end = { bytes: start.bytes + bytes, lines: start.lines + lines }
        return null
      },
    })
    return { lines: found, end }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    return {
      failure: `Line ${end.lines + 1} cannot be read: a quotation mark is missing, or one is too many.`,
    }
  }
}

/** Checks a row as `POST /orders` checks a body. An empty line is nothing. */
function readRow(row: string[], line: number): ReadLine[] {
  const [item = '', quantity = ''] = row
  if (row.length === 1 && item === '') return []
  if (row.length !== 2) return [{ line, error: `It has ${row.length} values in place of 2: item,quantity` }]
  const number = /^\d+$/.test(quantity) ? Number(quantity) : quantity
  const { data, error } = NewOrder.safeParse({ item, quantity: number })
  if (data) return [{ line, ...data }]
  return [{ line, error: error.issues.map(({ path, message }) => `${path}: ${message}`).join('. ') }]
}
