import { cursorParameter, z } from '#runtime'
import type { TemplateItemRow } from './table.ts'

/** The body of a request that creates a template item. */
export const NewTemplateItem = z
  .strictObject({ name: z.string().min(1).max(100) })
  .openapi('NewTemplateItem', { example: { name: 'First' } })

const example = {
  id: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f',
  name: 'First',
  createdAt: '2026-11-22T09:30:00.000Z',
}

/** A template item as its owner sees it. */
export const TemplateItem = z
  .object({
    id: z.uuid(),
    name: z.string(),
    preparedAt: z.iso.datetime().optional(),
    createdAt: z.iso.datetime(),
  })
  .openapi('TemplateItem', { example })

/** A page of template items, newest first. */
export const TemplateItemPage = z
  .object({
    items: z.array(TemplateItem),
    nextCursor: z.string().optional().openapi({ description: 'Absent on the last page' }),
  })
  .openapi('TemplateItemPage', { example: { items: [example], nextCursor: 'AZMrHHoAfD6NX1obLD1OXw' } })

/** The query of the list. */
export const TemplateItemQuery = z.strictObject({
  limit: z.int().min(1).max(100).default(20),
  cursor: cursorParameter().optional(),
})

/** The path of one template item. */
export const TemplateItemParams = z.object({ id: z.uuid().openapi({ example: example.id }) })

/** A row as the contract shows it. */
export function presentTemplateItem(row: TemplateItemRow): z.infer<typeof TemplateItem> {
  const { id, name, preparedAt, createdAt } = row
  return { id, name, preparedAt: preparedAt?.toISOString(), createdAt: createdAt.toISOString() }
}
