import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { atEnd, expectLog, expectProblem, type LogEntry, rawRequest } from '#test/kit'
import { sharedLab } from './lab.ts'

const lab = sharedLab()
let respond: RequestListener = () => {}
const other = createServer((request, response) => {
  request.on('error', () => {})
  response.on('error', () => {})
  respond(request, response)
}).listen(0, '127.0.0.1')
await once(other, 'listening')
atEnd(() => {
  other.closeAllConnections()
  other.close()
})
const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
const to = encodeURIComponent(url)

let count = 0
/** The id of the test's request. */
const id = () => `relay-${count}`
const headers = () => ({ 'X-Request-Id': id() })

/** The line of the test's request. */
async function line(): Promise<LogEntry> {
  const own = () =>
    expectLog(lab.process.lines).find((entry) => {
      const labels = entry['logging.googleapis.com/labels'] as Record<string, unknown> | undefined
      return entry.httpRequest && labels?.request_id === id()
    })
  await expect.poll(own, { timeout: 15_000 }).toBeDefined()
  return own() as LogEntry
}

beforeEach(() => {
  count++
})

/** Resolves when the other side has an upload's first bytes; `closed` when that connection is. */
function uploading(then: (request: IncomingMessage) => void = () => {}) {
  const begun = Promise.withResolvers<IncomingMessage>()
  const closed = Promise.withResolvers<void>()
  respond = (request) => {
    request.socket.once('close', () => closed.resolve())
    request.once('data', () => {
      begun.resolve(request)
      then(request)
    })
  }
  return { begun: begun.promise, closed: closed.promise }
}

/** Begins an upload of which only a part is sent. */
function upload() {
  const stated = { ...headers(), 'Content-Type': 'text/csv', 'Content-Length': '100000' }
  return lab.process.dial().send(`${rawRequest(`POST /relays/upload?to=${to}`, stated)}some`)
}

afterEach(async () => {
  expect((await lab.api('/ping')).status).toBe(200)
  expect(lab.process.child.exitCode).toBe(null)
  expect(expectLog(lab.process.lines).filter(({ severity }) => severity === 'CRITICAL')).toEqual([])
})

test('an upload ends at the other side when its client leaves', async () => {
  const { begun, closed } = uploading()
  const client = upload()
  await begun
  client.socket.resetAndDestroy()
  await closed
  expect(await line()).toMatchObject({ severity: 'WARNING', message: 'POST /relays/upload 499' })
})

test('an upload whose other side dies is a 500, with the cause in the log', async () => {
  uploading(({ socket }) => socket.resetAndDestroy())
  expect((await upload().answer()).status).toBe(500)
  expect(await line()).toMatchObject({ message: 'POST /relays/upload 500' })
  await lab.process.line(/Caused by: Error: (?:read|write) ECONNRESET/)
})

test.each(['its other side dies', 'its client leaves'])(
  'an upload whose source fails when it is given up does no harm: %s',
  async (what) => {
    const client = new AbortController()
    const { begun } = uploading(({ socket }) => what === 'its other side dies' && socket.resetAndDestroy())
    const path = `${lab.process.url}/relays/sulking?to=${to}`
    const response = fetch(path, { method: 'POST', headers: headers(), signal: client.signal }).catch(
      () => undefined,
    )
    await begun
    if (what === 'its client leaves') client.abort()
    const status = what === 'its client leaves' ? undefined : 500
    expect((await response)?.status).toBe(status)
    expect(await line()).toMatchObject({ message: `POST /relays/sulking ${status ?? 499}` })
  },
)

test('a download whose other side dies before its first byte is a 500', async () => {
  respond = ({ socket }, response) => {
    response.writeHead(200, { 'Content-Length': '1000' }).flushHeaders()
    setImmediate(() => socket.resetAndDestroy())
  }
  await expectProblem(await lab.api(`/relays/download?from=${to}`, { headers: headers() }), 500, 'INTERNAL')
})

test('a download whose other side dies later is cut off, and its line is an ERROR', async () => {
  const begun = Promise.withResolvers<() => void>()
  respond = ({ socket }, response) => {
    response.writeHead(200).write('x'.repeat(200_000))
    begun.resolve(() => socket.resetAndDestroy())
  }
  const response = await lab.api(`/relays/download?from=${to}`, { headers: headers() })
  expect(response.status).toBe(200)
  const die = await begun.promise
  die()
  await expect(response.text()).rejects.toThrow()
  expect(await line()).toMatchObject({ severity: 'ERROR', message: expect.stringContaining('cut off') })
})

test('a download ends at the other side when its client leaves', async () => {
  const closed = Promise.withResolvers<void>()
  respond = (_request, response) => {
    const more = () => response.write('x'.repeat(100_000))
    response.writeHead(200).on('drain', more).once('close', closed.resolve)
    while (more());
  }
  const client = new AbortController()
  const response = await fetch(`${lab.process.url}/relays/download?from=${to}`, {
    headers: headers(),
    signal: client.signal,
  })
  await response.body?.getReader().read()
  client.abort()
  await closed.promise
  expect(await line()).toMatchObject({ severity: 'WARNING', message: 'GET /relays/download 499' })
})

test('a call that nobody waits for ends with its request, and harms nobody', async () => {
  const closed = Promise.withResolvers<void>()
  const sockets = new Map<string | undefined, IncomingMessage['socket']>()
  respond = ({ url, socket }) => {
    sockets.set(url, socket)
    if (url === '/second') socket.once('close', () => closed.resolve())
    if (sockets.size === 2) sockets.get('/first')?.destroy()
  }
  const path = `/relays/two?first=${to}%2Ffirst&second=${to}%2Fsecond`
  await expectProblem(await lab.api(path, { headers: headers() }), 500, 'INTERNAL')
  await closed.promise
  expect(await line()).toMatchObject({ message: 'GET /relays/two 500' })
})
