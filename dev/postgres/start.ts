import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { forgetOtherServers } from '../machine/settings.ts'
import type { KeeperMessage } from './keeper.ts'

/** A running server: the URL of its database `postgres`, for its superuser. */
export interface Postgres {
  readonly url: string
  /** Stops the server. Resolves when it has ended. */
  stop(): Promise<void>
}

const keeperFile = fileURLToPath(new URL('./keeper.ts', import.meta.url))

/**
 * Starts a PostgreSQL server on 127.0.0.1 and a free port. It ends with this process, however that ends: a keeper process
 * runs the server, and stops it when the channel to this process closes. PGHOST and the like, which name another server,
 * are removed from the environment of this process.
 *
 * @param options.dataDir where the data stay; without it they are in a temporary folder, which is removed with the server
 * @throws why it could not start, in words for a person
 */
export async function startPostgres(options: { dataDir?: string } = {}): Promise<Postgres> {
  forgetOtherServers(process.env)
  const keeper = fork(keeperFile, options.dataDir === undefined ? [] : [options.dataDir], {
    detached: true, // Ctrl-C in a terminal goes to the whole group: the service is to stop first
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaint = ''
  keeper.stderr?.on('data', (chunk) => {
    complaint += chunk
  })

  const message = await new Promise<KeeperMessage>((resolve) => {
    keeper.once('message', (started: KeeperMessage) => resolve(started))
    keeper.once('error', (error) => resolve({ error: error.message }))
    keeper.once('close', () => resolve({ error: `The keeper of the PostgreSQL server ended.\n${complaint}` }))
  })
  keeper.unref()
  keeper.channel?.unref()
  if (keeper.stderr instanceof Socket) keeper.stderr.unref()

  async function stop(): Promise<void> {
    if (keeper.exitCode !== null || keeper.signalCode !== null) return
    const exit = once(keeper, 'exit')
    keeper.ref()
    if (keeper.connected) keeper.disconnect()
    await exit
  }

  if ('url' in message) return { url: message.url, stop }
  await stop()
  throw new Error(message.error)
}
