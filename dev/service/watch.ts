import { type Dirent, type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'

/** An editor saves several files, or one in several steps. That is one change. */
const restMs = 100

/** How often to compare without a notice. The system sends none for a folder of a network, or one shared with a container. */
const pollMs = 2_000

/** Files that an editor creates for itself. */
const editors = /^\.|~$|^4913$/

/**
 * Calls back with the files that were written, added, replaced or removed, once nothing changes any more: files named in
 * `roots`, or below its folders. A notice of the system only says when to compare. We watch folders, since a rename
 * replaces a file that is watched.
 *
 * @param roots folders and files; they need not exist yet
 * @returns what ends it
 */
export function watchFolders(
  roots: readonly string[],
  onChange: (files: readonly string[]) => void,
): () => void {
  const watchers = new Map<string, FSWatcher>()
  let known = scan(roots)
  let timer: NodeJS.Timeout | undefined

  function compareSoon(): void {
    clearTimeout(timer)
    timer = setTimeout(compare, restMs)
  }

  function compare(): void {
    timer = undefined
    const now = scan(roots)
    follow(now.folders)
    const files = new Set([...known.files.keys(), ...now.files.keys()])
    const changed = [...files].filter((file) => known.files.get(file) !== now.files.get(file))
    known = now
    if (changed.length > 0) onChange(changed.sort())
  }

  /** Watches the folders that exist now. One of the same name may have replaced another: the inode tells them apart. */
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
          watch(folder, compareSoon).on('error', () => {}),
        )
      } catch {
        // it no longer exists, or the system has no more watches: we compare by the clock anyway
      }
    }
  }

  follow(known.folders)
  const polling = setInterval(() => timer || compare(), pollMs) // with a timer, one comes soon
  return () => {
    clearTimeout(timer)
    clearInterval(polling)
    for (const watcher of watchers.values()) watcher.close()
  }
}

/** The inode of each folder, and of the parents of `roots`, where one may appear; and what changes with each file. */
function scan(roots: readonly string[]) {
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
    return [] // it was removed meanwhile
  }
}
