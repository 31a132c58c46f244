import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'

/** The user that PostgreSQL runs as. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/**
 * The user who runs the server when we are root: `nobody`, which every Linux has, or else another of `/etc/passwd` (initdb
 * needs one with a name). It creates no user, and runs no command.
 *
 * @returns `undefined` if this process is not root: the server then runs as the same user
 * @throws if root is the only user
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
    `You are root, and ${passwd} names no other user. PostgreSQL refuses to run as root. ` +
      'Add a line: nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
  )
}

/**
 * The words before initdb, which needs the name of its user. A container may be given a user by number, without a name:
 * then they make it a user with a name in a namespace below. The files stay the user's own.
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
