import { readFileSync } from 'node:fs'
import { writeMigration } from '../new/migration.ts'
import { run } from '../new/write.ts'
import { ejectFiles, exampleNames } from './eject-files.ts'

/**
 * Takes the example out: its feature, tests and stand-in, its variable, its lines in README.md. Writes the migration that
 * drops its table. Does nothing for a part that is gone already.
 *
 * @returns what is gone, and the files that are different now
 * @throws {Error} if another feature imports the example
 */
export function eject(): string[] {
  const { gone, changed } = ejectFiles(exampleNames)
  if (hasTable() && writeMigration('without_orders') !== 0)
    throw new Error('The migration was not written. Write it: npm run migration -- --name without_orders')
  run('npm run openapi', ['dev/openapi.ts'])
  run('npm run format', [
    'node_modules/@biomejs/biome/bin/biome',
    'check',
    '--write',
    '--log-level=error',
    'src/app.ts',
  ])
  return [...gone.map((folder) => `gone     ${folder}/`), ...changed.map((path) => `changed  ${path}`)]
}

/** Whether the newest migration leaves the example's table there. */
function hasTable(): boolean {
  const folder = 'migrations/features/meta'
  const { entries }: { entries: { idx: number }[] } = JSON.parse(
    readFileSync(`${folder}/_journal.json`, 'utf8'),
  )
  const newest = entries.at(-1)
  if (!newest) return false
  const file = `${folder}/${String(newest.idx).padStart(4, '0')}_snapshot.json`
  return 'public.orders' in JSON.parse(readFileSync(file, 'utf8')).tables
}
