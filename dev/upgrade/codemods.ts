import { globSync } from 'node:fs'
import { join, matchesGlob, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Change, editFiles } from '../fork/edit-files.ts'
import { compareVersions } from './versions.ts'

/**
 * What a release changes in files of forks where a name has changed: the changes of files, by pattern. `changes` of
 * codemods/1.2.3.ts is one.
 *
 * @example
 * export const changes: Codemod = { '{src,test}/**\/*.ts': [[/\boldName\b/g, 'newName']] }
 */
export type Codemod = Readonly<Record<string, readonly Change[]>>

const folder = 'dev/upgrade/codemods'
/** What no codemod changes: packages, what git ignores, and the codemods themselves. */
const left = ['node_modules/**', '.git/**', 'dist/**', '.build/**', '.data*/**', `${folder}/**`]

/**
 * Runs the codemods of the releases that an upgrade passed, the oldest first. They change only what still has the old name.
 *
 * @param from the version that the fork had
 * @param to the version that it has now
 * @returns the files that are different now
 */
export async function runCodemods(from: string, to: string): Promise<string[]> {
  const versions = globSync('*.ts', { cwd: folder }).map((file) => file.replace(/\.ts$/, ''))
  const passed = versions
    .filter((version) => compareVersions(version, from) > 0 && compareVersions(version, to) <= 0)
    .sort(compareVersions)
  const changed: string[] = []
  for (const version of passed) {
    const { changes }: { changes: Codemod } = await import(
      pathToFileURL(resolve(join(folder, `${version}.ts`))).href
    )
    for (const [pattern, list] of Object.entries(changes))
      changed.push(...editFiles(Object.fromEntries(filesOf(pattern).map((path) => [path, list]))))
  }
  return [...new Set(changed)].sort()
}

function filesOf(pattern: string): string[] {
  const isLeft = (path: string) => left.some((glob) => matchesGlob(path, glob) || glob === `${path}/**`)
  return globSync(pattern, { exclude: isLeft }).filter((path) => !isLeft(path))
}
