import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import { findDatabaseError } from '../kernel/database-error.ts'
import { GuardedClient } from './client.ts'
import { iamLogin } from './iam-login.ts'
import { countForeign, type Journal, type MigrationSet, readJournal, refuseSkipped } from './journal.ts'

/** Any number will do, as long as every revision of the service takes the same. */
const lock = 7_296_391_021
/** How long a second migration waits for the first. */
const turnTime = '10min'
/** How long a migration waits for a table: while it waits, all later queries on that table wait behind it. */
const lockTime = '5s'

/**
 * Applies the migrations that the database lacks: the runtime's, then the features', all in one transaction. Two
 * processes at once take turns: the lock is the transaction's too, since a pooler gives a session's to others.
 *
 * @param url the database
 * @param metadataHost where the password of an IAM user is looked up
 * @param folder with a folder for each set, `runtime` and `features`, as drizzle-kit wrote them
 * @returns how many of each were applied
 * @throws what PostgreSQL says. {Error} where a migration would be skipped, and where the database has the features'
 *   tables but not the runtime's. Nothing is applied then
 */
export async function migrate(
  url: string,
  folder: string,
  metadataHost?: string,
): Promise<{ runtime: number; features: number }> {
  const client = new GuardedClient({
    connectionString: url,
    password: iamLogin(url, metadataHost),
    application_name: 'migrate',
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => {}) // the query under way says so too; without a listener the process would end
  await client.connect()
  try {
    await client.query('begin')
    await client.query(`set local lock_timeout = '${turnTime}'`)
    await client.query('select pg_advisory_xact_lock($1::bigint)', [lock])
    await client.query(`set local lock_timeout = '${lockTime}'`)
    const runtime = setOf(join(folder, 'runtime'), 'migration:runtime', 'runtime', 'migrations')
    const features = setOf(join(folder, 'features'), 'migration', 'drizzle', '__drizzle_migrations')
    const before = {
      runtime: await readJournal(client, runtime),
      features: await readJournal(client, features),
    }
    refuseHalf(before)
    refuseSkipped(before.runtime, runtime)
    refuseSkipped(before.features, features)
    const counts = {
      runtime: await apply(client, runtime, before.runtime),
      features: await apply(client, features, before.features),
    }
    await client.query('commit')
    return counts
  } finally {
    await client.end() // which rolls back what was not committed
  }
}

type NoSchema = Record<string, never>

const dialect = new PgDialect()

/** A session inside the transaction: the one that Drizzle opens for a set is there already. */
class InsideSession extends NodePgSession<NoSchema, NoSchema> {
  override transaction<Result>(
    work: (tx: NodePgTransaction<NoSchema, NoSchema>) => Promise<Result>,
  ): Promise<Result> {
    return work(new NodePgTransaction(dialect, this, undefined))
  }
}

function setOf(folder: string, script: string, schema: string, table: string): MigrationSet {
  return { folder, script, schema, table }
}

/** Applies what a database lacks of a set. @returns how many */
async function apply(client: pg.Client, set: MigrationSet, before: Journal): Promise<number> {
  const { folder: migrationsFolder, schema: migrationsSchema, table: migrationsTable } = set
  try {
    const migrations = readMigrationFiles({ migrationsFolder })
    await dialect.migrate(migrations, new InsideSession(client, dialect, undefined), {
      migrationsFolder,
      migrationsSchema,
      migrationsTable,
    })
  } catch (error) {
    const foreign = countForeign(before)
    // class 42: it meets another schema than it expects, such as a table that there is already
    if (foreign === 0 || !findDatabaseError(error)?.code?.startsWith('42')) throw error
    throw new Error(
      `${set.folder}: a migration failed. The database has had ${foreign} that ${foreign === 1 ? 'is' : 'are'} not ` +
        'in this folder: they were of another branch, or the migrations were written again since. In development, ' +
        'delete its data and begin afresh; elsewhere, bring it to what the folder expects by hand.',
      { cause: error },
    )
  }
  return (await readJournal(client, set)).applied.size - before.applied.size
}

/** @throws {Error} for a database from before the runtime had a schema, or one that was restored without it */
function refuseHalf({ runtime, features }: { runtime: Journal; features: Journal }): void {
  if (features.applied.size === 0 || runtime.applied.size > 0) return
  throw new Error(
    "This database has the features' tables, but not the runtime's, which are in the schema `runtime`: it was made " +
      'by an older Runway, or restored without that schema. In development, delete its data and begin afresh; ' +
      'elsewhere, restore the schema `runtime`, or take an empty database.',
  )
}
