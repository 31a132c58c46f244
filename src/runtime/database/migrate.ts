import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'

/** Any number will do, as long as every revision of the service takes the same. */
const lock = 7_296_391_021
/** How long a second migration waits for the first. */
const turnTime = '10min'
/** How long a migration waits for a table: while it waits, all later queries on that table wait behind it. */
const lockTime = '5s'

/**
 * Applies the migrations that the database lacks, in one transaction. Two at once take turns.
 *
 * @param url the database
 * @param folder where drizzle-kit wrote them
 * @returns how many were applied
 * @throws what PostgreSQL says; nothing is applied then
 */
export async function migrate(url: string, folder: string): Promise<number> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'migrate',
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => {}) // the query under way says so too; without a listener the process would end
  await client.connect()
  try {
    const database = drizzle(client)
    await database.execute(sql.raw(`set lock_timeout = '${turnTime}'`))
    await database.execute(sql`select pg_advisory_lock(${lock}::bigint)`)
    await database.execute(sql.raw(`set lock_timeout = '${lockTime}'`))
    const before = await applied(client)
    await applyMigrations(database, { migrationsFolder: folder })
    return (await applied(client)) - before
  } finally {
    await client.end()
  }
}

async function applied(client: pg.Client): Promise<number> {
  const table = await client.query("select to_regclass('drizzle.__drizzle_migrations') as name")
  if (table.rows[0]?.name === null) return 0
  const { rows } = await client.query('select count(*)::int as count from drizzle.__drizzle_migrations')
  return rows[0]?.count ?? 0
}
