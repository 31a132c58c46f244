import { type Dirent, type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'

/** An editor saves several files, or one in several steps: that is one change. */
const settleTimeMs = 100

/** Looks by itself, for where the system tells of nothing: a folder shared with a container, a network's. */
const lookTimeMs = 2_000

/** What an editor makes for itself. */
const editors = /^\.|~$|^4913$/

/**
 * Calls back with the files below `roots`, or named there, that were written, added, replaced or removed, once they rest. What the
 * system tells only says when to look: each folder is watched, not the files, which a rename replaces.
 *
 * @param roots folders and files; they need not exist yet
 * @returns what ends it
 */
export function watchFolders(
  roots: readonly string[],
  onChange: (files: readonly string[]) => void,
): () => void {
  const watchers = new Map<string, FSWatcher>()
  let known = look(roots)
  let timer: NodeJS.Timeout | undefined

  function settle(): void {
    clearTimeout(timer)
    timer = setTimeout(compare, settleTimeMs)
  }

  function compare(): void {
    timer = undefined
    const now = look(roots)
    follow(now.folders)
    const files = new Set([...known.files.keys(), ...now.files.keys()])
    const changed = [...files].filter((file) => known.files.get(file) !== now.files.get(file))
    known = now
    if (changed.length > 0) onChange(changed.sort())
  }

  /** Watches the folders that are there, each by what it is now: one of the same name may have come in its place. */
  function follow(present: ReadonlyMap<string, string>): void {
    const wanted = new Map([...present].map(([folder, inode]) => [`${folder} ${inode}`, folder]))
    for (const [key, watcher] of watchers) {
      if (wanted.has(key)) continue
      watcher.close()
      watchers.delete(key)
    }
    for (const [key, folder] of wanted) {
      if (watchers.has(key)) continue
      try {
        watchers.set(
          key,
          watch(folder, settle).on('error', () => {}),
        )
      } catch {
        // it has gone again, or the system has no more watches: we look anyway
      }
    }
  }

  follow(known.folders)
  const looking = setInterval(() => timer || compare(), lookTimeMs) // one that waits for files to rest comes soon
  return () => {
    clearTimeout(timer)
    clearInterval(looking)
    for (const watcher of watchers.values()) watcher.close()
  }
}

/** The folders, with their parents' (where one may appear), by inode; and the files below, by what changes with them. */
function look(roots: readonly string[]) {
  const folders = new Map<string, string>()
  const files = new Map<string, string>()
  for (const parent of new Set(roots.map((root) => dirname(root)))) note(parent, folders)
  const open = [...roots]
  for (const folder of open) {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      note(folder, files)
      continue
    }
    note(folder, folders)
    for (const entry of list(folder)) {
      if (editors.test(entry.name)) continue
      const path = join(folder, entry.name)
      if (entry.isDirectory()) open.push(path)
      else note(path, files)
    }
  }
  return { folders, files }
}

function note(path: string, into: Map<string, string>): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return false
  const { ino, mtimeMs, size } = stats
  into.set(path, stats.isDirectory() ? `${ino}` : `${ino} ${mtimeMs} ${size}`)
  return true
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return [] // it has gone meanwhile
  }
}
