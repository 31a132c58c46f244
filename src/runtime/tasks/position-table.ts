import { text } from 'drizzle-orm/pg-core'
import { runtimeSchema } from '../database/schema.ts'

/** Where the next tick goes on with what one tick did not finish. The row is deleted when that is finished. */
export const positions = runtimeSchema.table('positions', {
  /** Which part of the tick it is. */
  sweep: text('sweep').primaryKey(),
  /** The name and the key of the first tasks that it has not looked at. */
  name: text('name').notNull(),
  key: text('key').notNull(),
})
