import { once } from 'node:events'
import { createServer, type ListenOptions, type Server } from 'node:net'
import { atEnd } from './at-end.ts'

/** A server that speaks as much of PostgreSQL's protocol as a connection and `select 1` need. */
export interface FakePostgres {
  readonly server: Server
  /** What each connection asked for when it began: `user`, `database`, settings. */
  readonly connections: Record<string, string>[]
  /** The passwords that were sent. */
  readonly passwords: string[]
}

/**
 * Starts one; it ends with the file.
 *
 * @param listen where
 * @param refusal the SQLSTATE that every connection is refused with; all are taken if absent
 * @param isRight says whether a password is the user's; none is asked for if absent
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export async function fakePostgres(
  listen: ListenOptions,
  refusal?: string,
  isRight?: (password: string) => boolean,
): Promise<FakePostgres> {
  const connections: Record<string, string>[] = []
  const passwords: string[] = []
  const ready = Buffer.concat([message('R', '\0\0\0\0'), message('Z', 'I')])
  const server = createServer((socket) => {
    let started = false
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      if (!started) {
        started = true
        connections.push(startup(bytes))
        if (refusal) socket.end(message('E', `SFATAL\0C${refusal}\0Mhidden words of the server\0\0`))
        else socket.write(isRight ? message('R', '\0\0\0\x03') : ready)
      } else if (bytes[0] === 'p'.charCodeAt(0)) {
        const password = bytes.subarray(5, -1).toString()
        passwords.push(password)
        if (isRight?.(password)) socket.write(ready)
        else socket.end(message('E', 'SFATAL\0C28P01\0Mhidden words of the server\0\0'))
      } else if (bytes[0] === 'Q'.charCodeAt(0)) {
        socket.write(Buffer.concat([message('C', 'SELECT 0\0'), message('Z', 'I')]))
      } else socket.end()
    })
  })
  server.listen(listen)
  await once(server, 'listening')
  atEnd(() => void server.close())
  return { server, connections, passwords }
}

/** A message of the protocol: each character of `body` is a byte. */
export function message(type: string, body: string): Buffer {
  const bytes = Buffer.from(`${type}\0\0\0\0${body}`, 'latin1')
  bytes.writeInt32BE(bytes.length - 1, 1)
  return bytes
}

function startup(bytes: Buffer): Record<string, string> {
  const words = bytes.subarray(8).toString().split('\0')
  const pairs = words.flatMap((word, index) =>
    index % 2 === 0 && word ? [[word, words[index + 1] ?? '']] : [],
  )
  return Object.fromEntries(pairs)
}
