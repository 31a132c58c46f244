import { and, desc, eq, isNull, lt, sql } from 'drizzle-orm'
import { type Database, now, type Transaction } from '#runtime'
import { type TemplateItemRow, templateItems } from './table.ts'

/** Inserts a template item. */
export async function insertTemplateItem(
  tx: Transaction,
  item: Pick<TemplateItemRow, 'id' | 'owner' | 'name'>,
): Promise<TemplateItemRow> {
  const [row] = await tx.insert(templateItems).values(item).returning()
  return row as TemplateItemRow
}

/** Finds an owner's template item. */
export async function findTemplateItem(
  database: Database,
  owner: string,
  id: string,
): Promise<TemplateItemRow | undefined> {
  const [row] = await database
    .select()
    .from(templateItems)
    .where(and(eq(templateItems.id, id), eq(templateItems.owner, owner)))
  return row
}

/** Lists the owner's template items that are older than the cursor's, newest first. */
export function listTemplateItems(
  database: Database,
  owner: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<TemplateItemRow[]> {
  return database
    .select()
    .from(templateItems)
    .where(and(eq(templateItems.owner, owner), cursor ? lt(templateItems.id, cursor) : undefined))
    .orderBy(desc(templateItems.id))
    .limit(limit)
}

/** Marks a template item as prepared, once. */
export async function markPrepared(tx: Transaction, id: string): Promise<void> {
  await tx
    .update(templateItems)
    .set({ preparedAt: now, version: sql`${templateItems.version} + 1` })
    .where(and(eq(templateItems.id, id), isNull(templateItems.preparedAt)))
}
