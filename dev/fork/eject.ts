import { readFileSync } from 'node:fs'
import { writeMigration } from '../new/migration.ts'
import { run } from '../new/write.ts'
import { ejectFiles, exampleNames, tablesOf } from './eject-files.ts'

/**
 * Takes examples out: their features, tests and stand-ins, their variables, their lines in README.md. Writes the migration that
 * drops their tables. Does nothing for a part that is gone already.
 *
 * @param names of examples; all, if there is none
 * @returns what is gone, and the files that are different now
 * @throws {TypeError} for a name that is no example's
 * @throws {Error} if another feature imports one
 */
export function eject(names: readonly string[] = []): string[] {
  const unknown = names.find((name) => !exampleNames.includes(name))
  if (unknown !== undefined)
    throw new TypeError(
      `'${unknown}' is no example. These are: ${exampleNames.join(', ')}. Write: npm run eject -- ${exampleNames[0]}`,
    )
  const taken = exampleNames.filter((name) => names.length === 0 || names.includes(name))
  const { gone, changed } = ejectFiles(taken)
  const left = taken.filter((name) => hasTable(name))
  if (left.length > 0) dropTables(left)
  run('npm run openapi', ['dev/openapi.ts'])
  run('npm run format', [
    'node_modules/@biomejs/biome/bin/biome',
    'check',
    '--write',
    '--log-level=error',
    '--no-errors-on-unmatched',
    'src/app.ts',
  ])
  return [...gone.map((path) => `gone     ${path}`), ...changed.map((path) => `changed  ${path}`)]
}

function dropTables(names: readonly string[]): void {
  const name = `without_${names.join('_and_')}`
  if (writeMigration(name) !== 0)
    throw new Error(`The migration was not written. Write it: npm run migration -- --name ${name}`)
}

/** Whether the newest migration leaves a table of the example there. */
function hasTable(name: string): boolean {
  const folder = 'migrations/features/meta'
  const { entries }: { entries: { idx: number }[] } = JSON.parse(
    readFileSync(`${folder}/_journal.json`, 'utf8'),
  )
  const newest = entries.at(-1)
  if (!newest) return false
  const file = `${folder}/${String(newest.idx).padStart(4, '0')}_snapshot.json`
  const { tables } = JSON.parse(readFileSync(file, 'utf8'))
  return tablesOf([name]).some((table) => `public.${table}` in tables)
}
