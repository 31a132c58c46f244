import { randomUUIDv7 } from 'node:crypto'
import { type Database, enqueue, handle, location, Problem } from '#runtime'
import { importProblems } from '../problems.ts'
import * as routes from './routes.ts'
import { presentImport } from './schemas.ts'
import { findImport, insertImport } from './store.ts'
import { importOrders } from './tasks.ts'

/** The routes of imports, for the feature. */
export function importRoutes(database: Database) {
  return [
    handle(routes.importOrders, async (c) => {
      const { tx, caller } = c.var
      const id = randomUUIDv7()
      const row = await insertImport(tx, { id, owner: caller.subject, file: c.req.valid('text') })
      await enqueue(tx, importOrders, { importId: id })
      const begun = { ...row, rows: 0, placed: 0, refused: 0, errors: [] }
      return c.json(presentImport(begun), 202, { Location: location(c, id) })
    }),

    handle(routes.getImport, async (c) => {
      const found = await findImport(database, c.var.caller.subject, c.req.valid('param').id)
      if (!found) throw new Problem(importProblems.IMPORT_NOT_FOUND)
      return c.json(presentImport(found), 200)
    }),
  ]
}
