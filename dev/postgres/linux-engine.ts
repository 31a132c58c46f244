import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { chown, mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ownServer, prepareBinaries } from './binaries.ts'
import type { Engine } from './engine.ts'
import { namedPrefix, serverUser } from './user.ts'

/** After this time it is killed, which a data folder survives. */
const stopTimeMs = 60_000

const noName =
  `initdb needs a user with a name, and /etc/passwd has none for ${process.getuid?.()}. Add a line there: ` +
  `me:x:${process.getuid?.()}:${process.getgid?.()}::/tmp:/bin/sh, or ${ownServer}.`

/**
 * Runs the binaries as our own user, or, as root, as another one, since PostgreSQL refuses root. That user need not be
 * able to enter the folder: each process starts inside it, as root, and calls it `/proc/self/cwd`.
 */
export async function linuxEngine(onLog: (text: string) => void): Promise<Engine> {
  const user = serverUser()
  const { folder: bin, prefix, remove } = await prepareBinaries(user)
  const owner = prefix.length === 0 ? user : undefined // with a prefix, root is that user

  function run(name: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    const before = name === 'initdb' && !user ? namedPrefix() : prefix
    const [file = '', ...rest] = [...before, join(bin, name), '-D', '/proc/self/cwd', ...args]
    const env = { ...process.env, LC_ALL: 'C', PGDATA: '' }
    const child = spawn(file, rest, { env, ...owner, ...options })
    child.on('error', (error) => onLog(`${error}`))
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', onLog)
    return child
  }

  return {
    async initialise(cwd, flags) {
      await mkdir(cwd, { mode: 0o700 })
      if (owner) await chown(cwd, owner.uid, owner.gid)
      const password = await openUnnamed(`${cwd}.password`, 'postgres\n')
      const given = ['--username=postgres', '--auth=password', '--pwfile=/dev/stdin', '--lc-messages=C']
      const initdb = run('initdb', [...given, ...flags], { cwd, stdio: [password.fd, 'pipe', 'pipe'] })
      const code = await new Promise((resolve) => initdb.once('close', resolve)) // also if it could not be run
      await password.close()
      if (code !== 0 && !user && namedPrefix().length > 0) onLog(noName)
      if (code !== 0) throw new Error(`initdb failed: exit code ${code}`)
    },

    async start(cwd, port, flags) {
      if (owner) await handOver(cwd, owner)
      const server = run('postgres', ['-p', `${port}`, ...flags], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
      const ended = new Promise<void>((resolve) => server.once('close', () => resolve()))
      const ready = new Promise<boolean>((resolve) => {
        let log = '' // a line may arrive in two pieces
        server.stderr?.on('data', (text) => {
          log = `${log}${text}`.slice(-10_000)
          if (log.includes('ready to accept connections')) resolve(true)
        })
        void ended.then(() => resolve(false))
      })
      if (!(await ready)) throw new Error(`The server ended: exit code ${server.exitCode}`)

      async function stop(): Promise<void> {
        server.kill('SIGINT') // "fast shutdown"
        const timer = setTimeout(() => server.kill('SIGKILL'), stopTimeMs)
        await ended
        clearTimeout(timer)
      }
      return { ended, stop }
    },
    release: remove,
  }
}

/** A file without a name: who gets its descriptor may read it. */
async function openUnnamed(path: string, content: string) {
  await writeFile(path, content)
  const file = await open(path)
  await file.chmod(0o444)
  await rm(path)
  return file
}

/** Makes `owner` the owner of a data folder that belongs to another user: an earlier run, or another machine, left it. */
async function handOver(folder: string, owner: { uid: number; gid: number }): Promise<void> {
  if ((await stat(folder)).uid === owner.uid) return
  const names = await readdir(folder, { recursive: true })
  for (const name of [...names, '.']) await chown(join(folder, name), owner.uid, owner.gid)
}
