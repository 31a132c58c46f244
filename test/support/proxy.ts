import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { atEnd } from './at-end.ts'

/** What stands between a service and its database, and can fall silent. */
export interface DatabaseProxy {
  /** The database's URL by way of the proxy. */
  readonly url: string
  /** How many connections were ever opened. */
  readonly opened: number
  /**
   * From now on nothing passes on the connections that are open, and neither end learns of it; new ones work.
   *
   * @param onSwallowed called whenever a silent connection swallows something
   */
  silence(onSwallowed?: () => void): void
  /** From now on new connections are taken, and hear nothing. */
  silenceNew(): void
  /** From now on new connections work again. */
  speakNew(): void
}

/** Starts a proxy of a database; it ends with the file. */
export async function proxyDatabase(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl)
  const silent = new WeakSet<Socket>()
  const open = new Set<Socket>()
  let opened = 0
  let mute = false
  let swallowed = () => {}

  const server = createServer((near) => {
    opened++
    const far = connect(Number(target.port || 5432), target.hostname)
    if (mute) silent.add(near).add(far)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from)
      from.on('error', () => {})
      from.on('data', (bytes) => (silent.has(from) ? swallowed() : to.write(bytes)))
      from.on('close', () => {
        open.delete(from)
        if (!silent.has(from)) to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })

  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: url.href,
    get opened() {
      return opened
    },
    silence(onSwallowed = () => {}) {
      swallowed = onSwallowed
      for (const socket of open) silent.add(socket)
    },
    silenceNew() {
      mute = true
    },
    speakNew() {
      mute = false
    },
  }
}
