import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * As root, makes sure that the user who runs the server (PostgreSQL refuses root) may enter the folders.
 *
 * @throws which folder is closed, and what to do
 */
export function assertReachable(folders: readonly string[]): void {
  if (process.getuid?.() !== 0) return
  const [uid, gid] = ['-u', '-g'].map(
    (flag) => Number(`${spawnSync('id', [flag, 'postgres']).stdout}`) || 65534,
  )
  const mayEnter = (folder: string) =>
    spawnSync('test', ['-x', folder], { uid: uid as number, gid: gid as number }).status === 0
  for (const folder of folders) {
    if (mayEnter(folder)) continue
    const closed = pathTo(folder).find((step) => !mayEnter(step)) ?? folder
    const mode = (statSync(closed).mode & 0o777).toString(8)
    throw new Error(
      `You are root, PostgreSQL runs as the user "postgres", who cannot enter ${closed} (mode ${mode}). ` +
        `Move the project to a folder open to all, such as /srv; or open this one: chmod a+x ${closed}; ` +
        'or work as another user than root.',
    )
  }
}

/** `/a/b` → `/`, `/a`, `/a/b`. */
function pathTo(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [...pathTo(parent), folder]
}
