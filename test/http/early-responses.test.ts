import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testServer } from '#test/support/server.ts'

const features = [
  featureOf(
    handlePlain({ method: 'post', path: '/small', security: 'public', bodyLimit: 1000 }, async (c) => {
      await c.req.arrayBuffer()
      return c.text('taken')
    }),
    handlePlain({ method: 'post', path: '/private', security: 'authenticated' }, (c) => c.text('private')),
  ),
]
const { url, dial } = await testServer({ databaseUrl: noDatabase, features })
const { hostname, port } = new URL(url)
/** Bytes: one body fits into a connection's buffers, the others do not. */
const sizes = [2, 4, 6, 8, 10, 12, 16, 20, 24, 32].map((mebibytes) => mebibytes * 2 ** 20)
const chunk = Buffer.alloc(2 ** 16)
const largest = Buffer.alloc(2 ** 25)

/** So many bytes, a chunk at a time. */
function* bytes(size: number): Generator<Buffer> {
  for (let sent = 0; sent < size; sent += chunk.length) yield chunk
}

interface Outcome {
  status: number
  body: string
}
type Send = (path: string, size: number) => Promise<Outcome>

async function outcomeOf(message: IncomingMessage): Promise<Outcome> {
  return { status: message.statusCode ?? 0, body: await text(message) }
}

/** By node:http; whatever goes wrong while it sends is no loss once the response has come. */
function byNode(headers: (size: number) => Record<string, string>): Send {
  return async (path, size) => {
    const request = httpRequest({
      hostname,
      port,
      path,
      method: 'POST',
      headers: headers(size),
      agent: false,
    })
    const responded = once(request, 'response')
    request.on('error', () => {})
    if (request.hasHeader('expect')) {
      request.flushHeaders()
      await Promise.race([once(request, 'continue'), responded])
    }
    Readable.from(bytes(size)).pipe(request)
    const [message] = (await responded) as [IncomingMessage]
    const outcome = await outcomeOf(message)
    request.destroy()
    return outcome
  }
}

/** As the simplest of clients do: sends all, and only then reads. */
const byHand: Send = async (path, size) => {
  const socket = connect(Number(port), hostname)
  socket.pause()
  socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`)
  for (const part of bytes(size)) if (!socket.write(part)) await once(socket, 'drain')
  let received = ''
  socket.resume().on('data', (data) => {
    received += data
  })
  while (!received.includes('"traceId"')) await once(socket, 'data')
  socket.destroy()
  return { status: Number(received.slice(9, 12)), body: received.slice(received.indexOf('{')) }
}

const ways: [name: string, send: Send][] = [
  [
    'fetch, with its length',
    async (path, size) => {
      const response = await fetch(url + path, { method: 'POST', body: largest.subarray(0, size) })
      return { status: response.status, body: await response.text() }
    },
  ],
  [
    'fetch, in chunks',
    async (path, size) => {
      const body = Readable.toWeb(Readable.from(bytes(size))) as ReadableStream
      const response = await fetch(url + path, { method: 'POST', body, duplex: 'half' })
      return { status: response.status, body: await response.text() }
    },
  ],
  ['node:http, with its length', byNode((size) => ({ 'Content-Length': String(size) }))],
  ['node:http, in chunks', byNode(() => ({ 'Transfer-Encoding': 'chunked' }))],
  ['node:http, asking first', byNode((size) => ({ 'Content-Length': String(size), Expect: '100-continue' }))],
  ['a socket that reads only when all is sent', byHand],
]

test.each(ways)('ten clients that send 2 to 32 MiB by %s all get their 413', async (_way, send) => {
  await expectAll(send, '/small', 413, 'BODY_TOO_LARGE')
})

test.each([
  ['/private', 401, 'TOKEN_MISSING'],
  ['/nowhere', 404, 'NOT_FOUND'],
  ['/ping', 405, 'METHOD_NOT_ALLOWED'],
])('so they do where the body would not have been read: POST %s, %i', async (path, status, code) => {
  await expectAll(byHand, path, status, code)
})

async function expectAll(send: Send, path: string, status: number, code: string): Promise<void> {
  const outcomes = await Promise.all(sizes.map((size) => send(path, size)))
  expect(outcomes.map((outcome) => outcome.status)).toEqual(sizes.map(() => status))
  expect(outcomes.every(({ body }) => JSON.parse(body).code === code)).toBe(true)
}

describe('a refusal of the server’s own reaches a client that is still sending', () => {
  test.each([
    {
      what: 'headers that never end',
      status: 431,
      head: 'GET / HTTP/1.1\r\nHost: a\r\n',
      rest: 'X: x\r\n',
    },
    { what: 'no HTTP at all', status: 400, head: 'GET /ping\r\n', rest: 'rubbish\r\n' },
    {
      what: 'two Hosts before a body',
      status: 400,
      head: `POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: ${2 ** 23}\r\n\r\n`,
      rest: 'x',
    },
    {
      what: 'a chunk of no size',
      status: 400,
      head: 'POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nrubbish\r\n',
      rest: 'x',
    },
    { what: 'CONNECT', status: 405, head: 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', rest: 'x' },
  ])('$what: $status', async ({ status, head, rest }) => {
    const socket = connect(Number(port), hostname)
    socket.pause().write(head)
    const more = Buffer.from(rest.repeat(2 ** 16))
    for (let count = 0; count < 2 ** 23 / more.length; count++)
      if (!socket.write(more)) await once(socket, 'drain')
    let received = ''
    socket.resume().on('data', (data) => {
      received += data
    })
    await once(socket, 'end')
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1)
    socket.destroy()
  })
})

test('a client that sends more than any request may be is cut', async () => {
  const { socket, send, closed } = dial()
  send('POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\n\r\n')
  let sent = 0
  while (!socket.destroyed && sent < 2 ** 28) {
    sent += chunk.length
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), closed])
  }
  expect(sent).toBeLessThan(2 ** 28)
})
