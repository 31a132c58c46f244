import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atEnd } from './at-end.ts'

/** Makes a temporary folder; it goes with the file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'runway-'))
  atEnd(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** When the first migration of a test was made: later than any of the service's own. */
export const firstMade = 4_000_000_000_000

/**
 * A folder of migrations: the runtime's as they are, and in place of the features' each of these statements.
 */
export async function migrationsOf(...statements: string[]): Promise<string> {
  const folder = await temporaryFolder()
  await cp('migrations/runtime', join(folder, 'runtime'), { recursive: true })
  await writeSet(join(folder, 'features'), statements)
  return folder
}

/** Writes statements as drizzle-kit does, each a file; made at `times`, or a minute after one another. */
export async function writeSet(folder: string, statements: string[], times: number[] = []): Promise<void> {
  const entries = statements.map((_statement, idx) => {
    return {
      idx,
      version: '7',
      when: times[idx] ?? firstMade + idx * 60_000,
      tag: `000${idx}_trial`,
      breakpoints: true,
    }
  })
  await mkdir(join(folder, 'meta'), { recursive: true })
  await writeFile(
    join(folder, 'meta/_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  )
  await Promise.all(statements.map((sql, idx) => writeFile(join(folder, `000${idx}_trial.sql`), sql)))
}

/** A copy of the bundle beside migrations of the test's own. */
export async function bundleWith(migrations: string): Promise<string> {
  const folder = await temporaryFolder()
  await cp('dist', join(folder, 'dist'), { recursive: true })
  await cp(migrations, join(folder, 'migrations'), { recursive: true })
  return join(folder, 'dist/migrate.js')
}
