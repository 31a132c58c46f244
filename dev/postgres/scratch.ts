import { randomUUID } from 'node:crypto'
import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { lockFolder } from './lock.ts'
import { endOrphan } from './orphan.ts'

/** A folder of this age is locked, if the process that created it still runs. */
const unlockedMs = 60_000

/** A folder that is removed with the process. */
export interface Scratch {
  /** Does not exist yet. */
  readonly folder: string
  remove(): Promise<void>
}

/**
 * Names a temporary folder in `place`. It also removes the folders of earlier processes that were killed before they could
 * do so. The lock of each says whether it is in use.
 *
 * @param owner the process that it is for
 * @throws if `place` cannot be written to
 */
export async function makeScratch(place: string, owner: number): Promise<Scratch> {
  await sweep(place).catch(() => {}) // another process removes them
  const folder = join(place, `scratch-postgres-${randomUUID()}`)
  const unlock = await lockFolder(folder, owner)
  async function remove(): Promise<void> {
    await rm(folder, { recursive: true, force: true })
    unlock()
    await rm(`${folder}.lock`, { force: true })
  }
  return { folder, remove }
}

async function sweep(place: string): Promise<void> {
  const names = (await readdir(place)).filter((name) => /^scratch-postgres-[\da-f-]{36}\.lock$/.test(name))
  for (const lock of names.map((name) => join(place, name))) {
    const { uid, mtimeMs } = await lstat(lock)
    if (uid !== process.getuid?.() || Date.now() - mtimeMs < unlockedMs || isLocked(lock)) continue
    const folder = lock.slice(0, -'.lock'.length)
    await endOrphan(folder)
    await rm(folder, { recursive: true, force: true })
    await rm(lock, { force: true })
  }
}

function isLocked(file: string): boolean {
  const database = new DatabaseSync(file)
  try {
    database.exec('BEGIN IMMEDIATE')
    return false
  } catch {
    return true
  } finally {
    database.close()
  }
}
