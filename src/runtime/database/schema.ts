import { customType, pgSchema } from 'drizzle-orm/pg-core'

/**
 * The runtime's tables and functions have a PostgreSQL schema of their own, so that a feature may call its table
 * `tasks`, or whatever else it likes.
 */
export const runtimeSchema = pgSchema('runtime')

/** A column of bytes. */
export const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })
