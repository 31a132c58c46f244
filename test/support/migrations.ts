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

/**
 * A folder of migrations as drizzle-kit writes it, each of these statements a file: later than
 * any of the service's own, a minute between them.
 */
export async function migrationsOf(...statements: string[]): Promise<string> {
  const folder = await temporaryFolder()
  const entries = statements.map((_statement, idx) => {
    return {
      idx,
      version: '7',
      when: 4_000_000_000_000 + idx * 60_000,
      tag: `000${idx}_trial`,
      breakpoints: true,
    }
  })
  await mkdir(join(folder, 'meta'))
  await writeFile(
    join(folder, 'meta/_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  )
  await Promise.all(statements.map((sql, idx) => writeFile(join(folder, `000${idx}_trial.sql`), sql)))
  return folder
}

/** A copy of the bundle beside migrations of the test's own. */
export async function bundleWith(migrations: string): Promise<string> {
  const folder = await temporaryFolder()
  await cp('dist', join(folder, 'dist'), { recursive: true })
  await cp(migrations, join(folder, 'migrations'), { recursive: true })
  return join(folder, 'dist/migrate.js')
}
