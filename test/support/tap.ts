import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { atEnd } from './at-end.ts'
import { type Point, points } from './points.ts'

/** Whether something happens right before the words reach the other end, or right before its response comes back. */
export type Moment = 'before' | 'after'

/** A point of the code, or several that are passed one after another. */
export type Path = Point | readonly Point[]

/** What stands between a service and another end, and can act on what the service says. */
export interface Tap {
  readonly port: number
  /**
   * Waits until the service has come to these points, one after another, on whatever connection; then, at this moment
   * of the last, does something and cuts the connection: what was held up is lost. Where `act` returns 'go on', it passes.
   *
   * @returns resolves when it has happened
   */
  at(moment: Moment, path: Path, act?: () => unknown): Promise<void>
  /** Cuts all connections. */
  cut(): void
}

interface Trap {
  readonly moment: Moment
  /** What is still to be said. */
  readonly words: string[]
  readonly act: () => unknown
  readonly sprung: () => void
}

/**
 * Listens on a port of its own; it ends with the file.
 *
 * @param target the port of the other end; while it is absent, connections are refused
 */
export async function tap(target: () => number | undefined): Promise<Tap> {
  const open = new Set<Socket>()
  let trap: Trap | undefined

  /** Whether what is said is the last that the trap waits for. */
  function springs(said: string): boolean {
    const [word] = trap?.words ?? []
    if (!trap || word === undefined || !said.includes(word)) return false
    trap.words.shift()
    return trap.words.length === 0
  }

  const server = createServer((near) => {
    const port = target()
    if (port === undefined) return void near.destroy()
    const far = connect(port, '127.0.0.1')
    const spell = speller()
    let armed: Trap | undefined
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
    async function spring({ act, sprung }: Trap, goOn: () => void): Promise<void> {
      armed = undefined
      near.pause()
      far.pause()
      if ((await act()) === 'go on') {
        goOn()
        near.resume()
        far.resume()
      } else near.destroy()
      sprung()
    }
    near.on('data', (bytes) => {
      if (springs(spell(bytes))) {
        armed = trap
        trap = undefined
      }
      if (armed?.moment === 'before') return void spring(armed, () => far.write(bytes))
      far.write(bytes)
    })
    far.on('data', (bytes) => {
      if (armed) void spring(armed, () => near.write(bytes))
      else near.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  atEnd(() => {
    cut()
    server.close()
  })

  return {
    port: (server.address() as AddressInfo).port,
    at(moment, path, act = () => {}) {
      const { promise, resolve } = Promise.withResolvers<void>()
      // nothing arrives before: what a point says is found without any I/O
      void Promise.all([path].flat().map((point) => points[point]())).then((words) => {
        trap = { moment, words, act, sprung: resolve }
      })
      return promise
    },
    cut,
  }
}

/**
 * Spells out what a connection says: where PostgreSQL knows a statement by its name, the text comes after it.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html (Parse, Bind)
 */
function speller(): (bytes: Buffer) => string {
  const texts = new Map<string, string>()
  return function spell(bytes) {
    const said = bytes.toString()
    for (const [, name = '', text = ''] of said.matchAll(/(runtime\.\d+)\0([^\0]+)\0/g)) texts.set(name, text)
    const named = [...texts].filter(([name]) => said.includes(`\0${name}\0`)).map(([, text]) => text)
    return [said, ...named].join('\n')
  }
}

/** A URL by way of a tap. */
export function through(url: string, { port }: Tap): string {
  const by = new URL(url)
  by.host = `127.0.0.1:${port}`
  return by.href
}
