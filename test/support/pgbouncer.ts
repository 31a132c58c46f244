import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { atEnd } from './at-end.ts'

/** In a folder of its own: the number says nothing but the name of the socket. */
const port = 6432

/**
 * Starts a PgBouncer in transaction mode before the server of this database, with its defaults otherwise; it ends with
 * the file.
 *
 * @param pool how many connections it has to the server for each database
 * @returns the database's URL by way of it
 * @throws {Error} where it is not installed
 */
export async function startPgBouncer(databaseUrl: string, pool: number): Promise<string> {
  const { hostname, port: serverPort, username, password, pathname } = new URL(databaseUrl)
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-'))
  await chmod(folder, 0o777) // as root it becomes another user
  const file = join(folder, 'pgbouncer.ini')
  const [user, secret] = [username, password].map(decodeURIComponent)
  await writeFile(
    file,
    `[databases]
* = host=${hostname} port=${serverPort || 5432} user=${user} ${secret ? `password=${secret}` : ''}
[pgbouncer]
unix_socket_dir = ${folder}
listen_port = ${port}
auth_type = any
pool_mode = transaction
default_pool_size = ${pool}
${process.getuid?.() === 0 ? 'user = nobody' : ''}
`,
  )
  const child = spawn('pgbouncer', ['--quiet', file], {
    stdio: 'ignore',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  })
  atEnd(async () => {
    await stop(child)
    await rm(folder, { recursive: true, force: true })
  })
  const failed = Promise.withResolvers<never>()
  child.once('error', () =>
    failed.reject(new Error('PgBouncer is not installed. On Debian: apt-get install pgbouncer.')),
  )
  child.once('exit', (code) => failed.reject(new Error(`PgBouncer ended with ${code}: see ${file}.`)))
  failed.promise.catch(() => {})
  await Promise.race([listens(join(folder, `.s.PGSQL.${port}`)), failed.promise])
  return `postgres://${user}@localhost:${port}${pathname}?host=${folder}`
}

async function listens(path: string): Promise<void> {
  for (;;) {
    const socket = createConnection(path)
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (connected) return
    await pause(20)
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || !child.kill('SIGKILL')) return
  await once(child, 'exit')
}
