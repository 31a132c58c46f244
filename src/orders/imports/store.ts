import { and, asc, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import type { Database, Reader, Transaction } from '#runtime'
import { type FoundImport, maxErrors } from './schemas.ts'
import { type ImportRow, orderImports as imports, orderImportLines as lines, type ReadLine } from './table.ts'

/** Where a line is. */
export interface LineKey {
  readonly importId: string
  readonly line: number
}

const { id, state, failure, createdAt } = imports

/** Inserts an import. */
export async function insertImport(
  tx: Transaction,
  row: Pick<ImportRow, 'id' | 'owner' | 'file'>,
): Promise<Pick<ImportRow, 'id' | 'state' | 'failure' | 'createdAt'>> {
  const [inserted] = await tx.insert(imports).values(row).returning({ id, state, failure, createdAt })
  return inserted as NonNullable<typeof inserted>
}

/** Finds an owner's import, and counts its lines. */
export async function findImport(
  database: Database,
  owner: string,
  importId: string,
): Promise<FoundImport | undefined> {
  const count = (column: 'line' | 'order_id' | 'error') =>
    sql<number>`(select count(${sql.identifier(column)})::int from ${lines} where import_id = ${id})`
  const [found] = await database
    .select({
      ...{ id, state, failure, createdAt },
      ...{ rows: count('line'), placed: count('order_id'), refused: count('error') },
    })
    .from(imports)
    .where(and(eq(id, importId), eq(imports.owner, owner)))
  if (!found) return undefined
  const errors = await database
    .select({ line: lines.line, detail: sql<string>`${lines.error}` })
    .from(lines)
    .where(and(eq(lines.importId, importId), isNotNull(lines.error)))
    .orderBy(asc(lines.line))
    .limit(maxErrors)
  return { ...found, errors }
}

/** Reads the file of an import. */
export async function findFile(database: Reader, importId: string): Promise<Buffer> {
  const [row] = await database.select({ file: imports.file }).from(imports).where(eq(id, importId))
  return Buffer.from(row?.file ?? '')
}

/** Inserts lines that were read. */
export async function insertLines(
  tx: Transaction,
  importId: string,
  read: readonly ReadLine[],
): Promise<void> {
  if (read.length > 0) await tx.insert(lines).values(read.map((line) => ({ importId, ...line })))
}

/** Says that the file of an import cannot be read. */
export async function failImport(tx: Transaction, importId: string, failure: string): Promise<void> {
  await tx.update(imports).set({ state: 'failed', failure, file: '' }).where(eq(id, importId))
}

/** Says that the orders of an import are being placed. @returns the lines that are orders */
export async function startPlacing(tx: Transaction, importId: string): Promise<LineKey[]> {
  await tx.update(imports).set({ state: 'placing' }).where(eq(id, importId))
  return tx
    .select({ importId: lines.importId, line: lines.line })
    .from(lines)
    .where(and(eq(lines.importId, importId), isNull(lines.error)))
    .orderBy(asc(lines.line))
}

/** Finds the order of a line, and its owner. */
export async function findOrderOfLine(
  database: Reader,
  { importId, line }: LineKey,
): Promise<{ owner: string; item: string; quantity: number } | undefined> {
  const { owner } = imports
  const [found] = await database
    .select({ owner, item: sql<string>`${lines.item}`, quantity: sql<number>`${lines.quantity}` })
    .from(lines)
    .innerJoin(imports, eq(id, lines.importId))
    .where(and(eq(lines.importId, importId), eq(lines.line, line)))
  return found
}

/** Notes the order that a line has become. */
export async function markPlaced(
  tx: Transaction,
  { importId, line }: LineKey,
  orderId: string,
): Promise<void> {
  await tx
    .update(lines)
    .set({ orderId, error: null })
    .where(and(eq(lines.importId, importId), eq(lines.line, line)))
}

/** Ends an import. A line that is no order by now has an error afterwards. */
export async function finishImport(tx: Transaction, importId: string): Promise<void> {
  await tx
    .update(lines)
    .set({ error: 'The order was not placed' })
    .where(and(eq(lines.importId, importId), isNull(lines.orderId), isNull(lines.error)))
  await tx.update(imports).set({ state: 'done', file: '' }).where(eq(id, importId))
}
