import { randomUUIDv7 } from 'node:crypto'
import { defineFeature, enqueue, entityTag, handle, location, Problem, pageOf } from '#runtime'
import { templateItemProblems } from './problems.ts'
import * as routes from './routes.ts'
import { presentTemplateItem } from './schemas.ts'
import { findTemplateItem, insertTemplateItem, listTemplateItems } from './store.ts'
import { prepareTemplateItem } from './tasks.ts'

/** Template items. */
export const templateItems = defineFeature({
  name: 'template-items',
  description: 'Template items. Callers see only their own.',
  problems: templateItemProblems,
  tasks: [prepareTemplateItem],
  routes: ({ database }) => [
    handle(routes.createTemplateItem, async (c) => {
      const { tx, caller } = c.var
      const id = randomUUIDv7()
      const row = await insertTemplateItem(tx, { id, owner: caller.subject, ...c.req.valid('json') })
      await enqueue(tx, prepareTemplateItem, { templateItemId: id })
      return c.json(presentTemplateItem(row), 201, {
        Location: location(c, row.id),
        ETag: entityTag(row.version),
      })
    }),

    handle(routes.listTemplateItems, async (c) => {
      const { limit, cursor } = c.req.valid('query')
      const rows = await listTemplateItems(database, c.var.caller.subject, { limit: limit + 1, cursor })
      return c.json(pageOf(rows, limit, presentTemplateItem), 200)
    }),

    handle(routes.getTemplateItem, async (c) => {
      const row = await findTemplateItem(database, c.var.caller.subject, c.req.valid('param').id)
      if (!row) throw new Problem(templateItemProblems.TEMPLATE_ITEM_NOT_FOUND)
      return c.json(presentTemplateItem(row), 200, { ETag: entityTag(row.version) })
    }),
  ],
})
