import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** A change of a file: what it looks for, and what it writes instead. */
export type Change = readonly [from: RegExp, to: string | ((...found: string[]) => string)]

/**
 * Changes files, as far as they have what a change looks for: what was changed before stays as it is.
 *
 * @returns the files that are different now
 */
export function editFiles(changes: Readonly<Record<string, readonly Change[]>>): string[] {
  return Object.entries(changes).flatMap(([path, list]) => {
    if (!existsSync(path)) return []
    const before = readFileSync(path, 'utf8')
    const after = list.reduce((text, [from, to]) => text.replace(from, to as string), before)
    if (after === before) return []
    writeFileSync(path, after)
    return [path]
  })
}
