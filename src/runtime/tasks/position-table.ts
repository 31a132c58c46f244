import { text } from 'drizzle-orm/pg-core'
import { runtimeSchema } from '../database/schema.ts'

/** Where the next tick goes on with what one tick did not finish. A row is there only until that is finished. */
export const positions = runtimeSchema.table('positions', {
  /** What the tick does. */
  sweep: text('sweep').primaryKey(),
  /** The name and the key of the first tasks that it has not looked at. */
  name: text('name').notNull(),
  key: text('key').notNull(),
})
