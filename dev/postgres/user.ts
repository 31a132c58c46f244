import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'

/** Whom PostgreSQL runs as. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/**
 * As root, the user who runs the server: `nobody`, whom each Linux has, or else another of `/etc/passwd` (initdb wants
 * one with a name). No user is made, and no command is asked.
 *
 * @returns `undefined` where this process is not root: the server runs as its own user then
 * @throws if there is none but root
 */
export function serverUser(passwd = '/etc/passwd', uid = process.getuid?.()): ServerUser | undefined {
  if (uid !== 0) return undefined
  const users = readFileSync(passwd, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => uid > 0 && gid > 0)
  const user = users.find(({ name }) => name === 'nobody') ?? users[0]
  if (user) return { uid: user.uid, gid: user.gid }
  throw new Error(
    `You are root, and ${passwd} names nobody else whom PostgreSQL, which refuses root, could run as. ` +
      'Add a line: nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
  )
}

/**
 * What goes before initdb, which wants to know its user by name: nothing, or, for a user without one, as a container may
 * be given by number, what makes it one with a name in a namespace below. The files stay the user's own.
 */
export function namedPrefix(): string[] {
  try {
    userInfo()
    return []
  } catch {
    const { uid, gid } = serverUser('/etc/passwd', 0) ?? {}
    return ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--']
  }
}
