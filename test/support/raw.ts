import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** A connection whose bytes are the test's own. */
export interface RawConnection {
  readonly socket: Socket
  /** Sends these characters, each a byte. */
  send(text: string): RawConnection
  /**
   * The next answer.
   *
   * @param toHead whether it answers HEAD, and so has no body whatever its length says
   */
  answer(toHead?: boolean): Promise<RawAnswer>
  /** Resolves when the other end has closed. */
  readonly closed: Promise<void>
}

/** Opens a connection; it ends with the test. */
export type Dial = () => RawConnection

/** Dials a port of this machine. */
export function dialer(port: number): Dial {
  return function dial() {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1')
    let received = ''
    let ended = false
    let look = () => {}
    const { promise: closed, resolve: close } = Promise.withResolvers<void>()
    socket.on('data', (text) => {
      received += text
      look()
    })
    socket.on('error', () => {}) // a reset after the answer is the other end's right
    socket.on('close', () => {
      ended = true
      look()
      close()
    })
    onTestFinished(() => void socket.destroy())

    const connection: RawConnection = {
      socket,
      closed,
      send(text) {
        socket.write(text, 'latin1')
        return connection
      },
      answer(toHead = false) {
        return new Promise((resolve, reject) => {
          look = () => {
            const parsed = parse(received, ended, toHead)
            if (parsed) {
              received = received.slice(parsed.length)
              resolve(parsed.answer)
            } else if (ended) reject(new Error(`Closed without a whole answer: ${received}`))
          }
          look()
        })
      },
    }
    return connection
  }
}

function parse(text: string, ended: boolean, toHead: boolean) {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n')
  const headers = new Headers(lines.map((line): [string, string] => split(line)))
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1])
  const start = headEnd + 4
  const bare = toHead || status < 200 || status === 204 || status === 304
  const found = bare ? { body: '', end: start } : bodyAt(text, start, headers, ended)
  return found && { answer: { status, headers, body: found.body }, length: found.end }
}

function bodyAt(text: string, start: number, headers: Headers, ended: boolean) {
  const length = headers.get('content-length')
  if (length !== null) {
    const end = start + Number(length)
    return text.length < end ? undefined : { body: text.slice(start, end), end }
  }
  if (headers.get('transfer-encoding') !== 'chunked') return ended ? rest(text, start) : undefined
  let body = ''
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    const end = lineEnd + 2 + size + 2
    if (lineEnd < 0 || text.length < end) return undefined
    if (size === 0) return { body, end }
    body += text.slice(lineEnd + 2, end - 2)
    at = end
  }
}

function rest(text: string, start: number) {
  return { body: text.slice(start), end: text.length }
}

function split(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}

/** A request for the wire: `rawRequest('GET /ping')`. */
export function rawRequest(line: string, headers: Record<string, string> = {}, body = ''): string {
  const fields = Object.entries({ Host: 'localhost', ...headers })
  return `${line} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}
