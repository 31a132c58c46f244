import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { folders } from './contestants.ts'

/** The packages that a program needs in production: how many, and the bytes of their files. */
export interface Packages {
  readonly count: number
  readonly bytes: number
}

/** Follows the dependencies of packages as Node finds them: beside what needs them, then further up. */
export function packagesOf(names: readonly string[]): Packages {
  const found = new Set<string>()
  const waiting = names.map((name) => ({ name, from: join(folders.repository, 'bench') }))
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const folder = findPackage(next.name, next.from)
    if (!folder || found.has(folder)) continue // an optional one may not be there
    found.add(folder)
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    for (const name of Object.keys(dependencies)) waiting.push({ name, from: folder })
  }
  return { count: found.size, bytes: [...found].reduce((sum, folder) => sum + bytesOf(folder), 0) }
}

function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; folder.startsWith(folders.repository.slice(0, -1)); folder = join(folder, '..')) {
    const place = join(folder, 'node_modules', name)
    if (existsSync(join(place, 'package.json'))) return place
  }
  return undefined
}

/** The bytes of a folder's files. Packages in it count by themselves. */
export function bytesOf(folder: string, ignore: RegExp = /^node_modules$/): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !ignore.test(name))
    .reduce((sum, entry) => {
      const path = join(folder, entry.name)
      return sum + (entry.isDirectory() ? bytesOf(path, ignore) : entry.isFile() ? statSync(path).size : 0)
    }, 0)
}
