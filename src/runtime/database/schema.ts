import { customType, pgSchema } from 'drizzle-orm/pg-core'

/**
 * The PostgreSQL schema of the runtime's own tables and functions. So a feature may name its tables as it likes, even
 * `tasks`.
 */
export const runtimeSchema = pgSchema('runtime')

/** A column of bytes. */
export const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })
