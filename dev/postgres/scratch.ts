import { randomUUID } from 'node:crypto'
import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { lockFolder } from './lock.ts'
import { endOrphan } from './orphan.ts'

/** A folder of this age was locked by the process that made it, if that one still runs. */
const settleTimeMs = 60_000

/** A folder that goes with the process. */
export interface Scratch {
  /** Does not exist yet. */
  readonly folder: string
  remove(): Promise<void>
}

/**
 * Names a temporary folder in `place`, and removes from there what earlier processes were killed too soon to remove:
 * the lock of each says whether it is in use.
 *
 * @param owner the process on whose behalf it is made
 * @throws if `place` cannot be written to
 */
export async function makeScratch(place: string, owner: number): Promise<Scratch> {
  await sweep(place).catch(() => {}) // somebody else is at it
  const folder = join(place, `runway-postgres-${randomUUID()}`)
  const unlock = await lockFolder(folder, owner)
  async function remove(): Promise<void> {
    await rm(folder, { recursive: true, force: true })
    unlock()
    await rm(`${folder}.lock`, { force: true })
  }
  return { folder, remove }
}

async function sweep(place: string): Promise<void> {
  const names = (await readdir(place)).filter((name) => /^runway-postgres-[\da-f-]{36}\.lock$/.test(name))
  for (const lock of names.map((name) => join(place, name))) {
    const { uid, mtimeMs } = await lstat(lock)
    if (uid !== process.getuid?.() || Date.now() - mtimeMs < settleTimeMs || isLocked(lock)) continue
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
