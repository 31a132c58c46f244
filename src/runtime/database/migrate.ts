import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import { findDatabaseError } from '../kernel/database-error.ts'
import { GuardedClient } from './guarded-client.ts'
import { iamLogin } from './iam-login.ts'
import {
  countForeign,
  type Journal,
  type MigrationSet,
  readJournal,
  refuseSkipped,
} from './migration-journal.ts'

/** Any number works, as long as all revisions of the service use the same one. */
const advisoryLock = 7_296_391_021
/** How long a migration waits for another one that runs. */
const migrationLockTimeout = '10min'
/** How long a migration waits for the lock of a table. While it waits, all later queries on that table wait too. */
const tableLockTimeout = '5s'

/**
 * Applies the migrations that the database lacks: first the runtime's, then the features', all in one transaction. If two
 * processes migrate at once, one waits for the other. The advisory lock belongs to the transaction: behind a pooler, a
 * session's lock would pass to others.
 *
 * @param url the database
 * @param folder contains a folder for each set, `runtime` and `features`, as drizzle-kit wrote them
 * @param metadataHost where the password of an IAM user is fetched from
 * @returns how many of each set were applied
 * @throws PostgreSQL's error; an error if a migration would be skipped, or if the database has the features' tables but
 *   not the runtime's. Nothing is applied then
 * @example
 * const { url } = parseDatabase(process.env)
 * const applied = await migrate(url, 'migrations') // such as { runtime: 2, features: 1 }
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
  client.on('error', () => {}) // the running query fails too; without a listener the process would end
  await client.connect()
  try {
    await client.query('begin')
    await client.query(`set local lock_timeout = '${migrationLockTimeout}'`)
    await client.query('select pg_advisory_xact_lock($1::bigint)', [advisoryLock])
    await client.query(`set local lock_timeout = '${tableLockTimeout}'`)
    const runtime = migrationSet(join(folder, 'runtime'), 'migration:runtime', 'runtime', 'migrations')
    const features = migrationSet(join(folder, 'features'), 'migration', 'drizzle', '__drizzle_migrations')
    const before = {
      runtime: await readJournal(client, runtime),
      features: await readJournal(client, features),
    }
    refuseWithoutRuntime(before)
    refuseSkipped(before.runtime, runtime)
    refuseSkipped(before.features, features)
    const counts = {
      runtime: await apply(client, runtime, before.runtime),
      features: await apply(client, features, before.features),
    }
    await client.query('commit')
    return counts
  } finally {
    await client.end() // rolls back what is not committed
  }
}

type NoSchema = Record<string, never>

const dialect = new PgDialect()

/** A session inside the open transaction. Drizzle would open a transaction for each set: it gets this one. */
class InsideSession extends NodePgSession<NoSchema, NoSchema> {
  override transaction<Result>(
    work: (tx: NodePgTransaction<NoSchema, NoSchema>) => Promise<Result>,
  ): Promise<Result> {
    return work(new NodePgTransaction(dialect, this, undefined))
  }
}

function migrationSet(folder: string, script: string, schema: string, table: string): MigrationSet {
  return { folder, script, schema, table }
}

/** Applies the migrations of a set that the database lacks. @returns how many */
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
    // class 42: the schema is not as the migration expects, such as a table that exists already
    if (foreign === 0 || !findDatabaseError(error)?.code?.startsWith('42')) throw error
    throw new Error(
      `${set.folder}: a migration failed. The database has ${foreign} that ${foreign === 1 ? 'is' : 'are'} not ` +
        'in this folder: they come from another branch, or the files were written again since. In development, ' +
        'delete the data and start again; elsewhere, change the schema by hand to what the folder expects.',
      { cause: error },
    )
  }
  return (await readJournal(client, set)).applied.size - before.applied.size
}

/** @throws {Error} if the database has the features' tables, but not the schema `runtime` */
function refuseWithoutRuntime({ runtime, features }: { runtime: Journal; features: Journal }): void {
  if (features.applied.size === 0 || runtime.applied.size > 0) return
  throw new Error(
    "This database has the features' tables, but not the runtime's, which are in the schema `runtime`: it was created " +
      'by an older version of the template, or restored without that schema. In development, delete the data and start again; ' +
      'elsewhere, restore the schema `runtime`, or use an empty database.',
  )
}
