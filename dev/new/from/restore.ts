import { readFileSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Does something that writes files. If it fails, all is as it was.
 *
 * @param made folders that it makes
 * @param changed files that it changes
 */
export function restoreOnFailure(
  made: readonly string[],
  changed: readonly string[],
  work: () => void,
): void {
  const before = changed.map((path) => [path, readFileSync(path)] as const)
  try {
    work()
  } catch (error) {
    for (const folder of made) rmSync(folder, { recursive: true, force: true })
    for (const [path, bytes] of before) writeFileSync(path, bytes)
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`${message}\nNothing is written: take out of the document what this names.`, {
      cause: error,
    })
  }
}
