import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { freePort } from '#dev/machine/ports.ts'
import { type SendOptions, sendWebhook } from '#src/webhooks/send.ts'
import { createSecret } from '#src/webhooks/sign.ts'
import { atEnd } from '#test/kit'
import { startReceiver, status, verified } from './receiver.ts'

const secret = createSecret()
const eventId = '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f'
const body = '{"type":"tea.made","data":{"cup":"🫖"}}'
const here = async () => [{ address: '127.0.0.1', family: 4 }]

const send = (url: string, options: Partial<SendOptions> = {}) =>
  sendWebhook(
    { url, eventId, body },
    {
      ...{ secrets: [secret], privateHosts: ['127.0.0.1'], timeoutMs: 20_000, userAgent: 'shop (webhooks)' },
      ...{ signal: new AbortController().signal, ...options },
    },
  )

/** Listens for connections on a free port. Whether all that were opened have ended is in `open`. */
async function listen(server: Server): Promise<{ port: number; open: Set<Socket> }> {
  const open = new Set<Socket>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, open }
}

/** A receiver that sends these bytes to each connection when the first bytes have arrived. */
const raw = (respond: (socket: Socket) => void) =>
  listen(createServer((socket) => socket.once('data', () => respond(socket))))

describe('a request', () => {
  test('is a signed POST of exactly the body, on a connection that is not kept', async () => {
    const receiver = await startReceiver()
    const other = createSecret()
    const before = Math.floor(Date.now() / 1000)
    const outcome = await send(`${receiver.url}?a=1#b`, { secrets: [secret, other] })
    expect(outcome).toEqual({ status: 204, durationMs: expect.any(Number) })
    const [request, ...more] = receiver.received
    expect(more).toEqual([])
    if (!request) return
    const { host, ...headers } = request.headers
    expect(request).toMatchObject({ method: 'POST', path: '/hooks?a=1', body })
    expect(headers).toEqual({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'shop (webhooks)',
      'webhook-id': eventId,
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
      'webhook-signature': expect.stringMatching(/^v1,\S{43}= v1,\S{43}=$/),
      connection: 'close',
    })
    expect(Number(headers['webhook-timestamp'])).toBeGreaterThanOrEqual(before)
    expect(verified(secret, request)).toEqual(JSON.parse(body))
    expect(verified(other, request)).toEqual(JSON.parse(body))
  })

  test('goes to the address that was checked: the name is looked up once, and not by the connection', async () => {
    const { url, received } = await startReceiver()
    const { port } = new URL(url)
    let lookUps = 0
    const resolve = () => {
      lookUps++
      return here()
    }
    const outcome = await send(`http://nowhere.invalid:${port}/`, {
      privateHosts: ['nowhere.invalid'],
      resolve,
    })
    expect(outcome).toMatchObject({ status: 204 })
    expect(lookUps).toBe(1)
    expect(received[0]?.headers.host).toBe(`nowhere.invalid:${port}`)
  })

  test('goes to no private address that a public name has, on whatever port', async () => {
    const { url, received } = await startReceiver()
    const target = url.replace('http://127.0.0.1', 'https://shop.example.com')
    const refused = { error: 'The host has no address, or one that is not public' }
    expect(await send(target, { privateHosts: [], resolve: here })).toEqual(refused)
    expect(await send(url.replace('http:', 'https:'), { privateHosts: [] })).toEqual(refused)
    expect(received).toEqual([])
  })
})

describe('a response', () => {
  test.each([200, 201, 202, 204, 299, 400, 404, 410, 500])('of %d is its status', async (code) => {
    const receiver = await startReceiver()
    receiver.respond(status(code))
    expect(await send(receiver.url)).toEqual({ status: code, durationMs: expect.any(Number) })
  })

  test.each([301, 302, 303, 307, 308])('of %d is not followed', async (code) => {
    const [receiver, elsewhere] = [await startReceiver(), await startReceiver()]
    receiver.respond(status(code, { Location: elsewhere.url }))
    const error = 'It was a redirect, and these are not followed'
    expect(await send(receiver.url)).toMatchObject({ status: code, error })
    expect(elsewhere.received).toEqual([])
  })

  test.each([
    [503, '120', 120_000],
    [429, new Date(Date.now() + 3_600_000).toUTCString(), 3_600_000],
    [503, new Date(0).toUTCString(), 0],
  ])('of %d may say when to send again: %s', async (code, value, waitMs) => {
    const receiver = await startReceiver()
    receiver.respond(status(code, { 'Retry-After': value }))
    const { retryAfterMs = -1 } = await send(receiver.url)
    expect(Math.abs(retryAfterMs - waitMs)).toBeLessThan(60_000)
  })

  test.each([
    [503, 'soon'],
    [503, '-1'],
    [500, '120'],
    [302, '120'],
  ])('of %d does not, if Retry-After is %j', async (code, value) => {
    const receiver = await startReceiver()
    receiver.respond(status(code, { 'Retry-After': value }))
    const { retryAfterMs } = await send(receiver.url)
    expect(retryAfterMs ?? 0).toBe(0)
  })

  test('may have an endless body: nothing of it is read, and the connection ends', async () => {
    const { port, open } = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
      const pour = () => {
        while (socket.writable && socket.write(chunk));
      }
      socket.on('drain', pour)
      pour()
    })
    expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({ status: 200 })
    await expect.poll(() => open.size).toBe(0)
  })

  test('may end before its body does', async () => {
    const { port } = await raw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'))
    expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({ status: 200 })
  })

  test('that does not come in time is none, and the connection ends', async () => {
    const { port, open } = await raw(() => {})
    const outcome = await send(`http://127.0.0.1:${port}/`, { timeoutMs: 200 })
    expect(outcome).toEqual({
      error: 'There was no response within 0.2 s',
      durationMs: expect.any(Number),
    })
    await expect.poll(() => open.size).toBe(0)
  })

  test('that comes drop by drop, head first, is none either', async () => {
    const { port, open } = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const drip = () => socket.writable && socket.write('X: y\r\n', () => setTimeout(drip, 20))
      drip()
    })
    expect(await send(`http://127.0.0.1:${port}/`, { timeoutMs: 200 })).toMatchObject({ error: /within/ })
    await expect.poll(() => open.size).toBe(0)
  })

  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', /^There was no response: HPE_\w+$/],
    ['nothing', '', 'There was no response: ECONNRESET'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}`, /^There was no response: HPE_\w+$/],
  ])('that is %s is none', async (_what, text, error) => {
    const { port } = await raw((socket) => socket.end(text))
    expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({ error: expect.stringMatching(error) })
  })
})

test('a name that takes too long to look up is not waited for', async () => {
  const { promise, resolve } = Promise.withResolvers<{ address: string; family: number }[]>()
  const receiver = await startReceiver()
  const target = receiver.url.replace('127.0.0.1', 'slow.test')
  const options = { privateHosts: ['slow.test'], resolve: () => promise, timeoutMs: 50 }
  expect(await send(target, options)).toMatchObject({ error: 'There was no response within 0.05 s' })
  resolve(await here())
  await promise
  expect(receiver.received).toEqual([])
})

test('where nobody listens, there is no response', async () => {
  const outcome = await send(`http://127.0.0.1:${await freePort()}/`)
  expect(outcome).toMatchObject({ error: 'There was no response: ECONNREFUSED' })
})

test('a certificate that nobody vouches for ends it before a byte of the event is sent', async () => {
  const pem = readFileSync('test/support/google.pem')
  let requests = 0
  const server = createTlsServer({ key: pem, cert: pem }, () => requests++).on('tlsClientError', () => {})
  const { port } = await listen(server)
  const options = { privateHosts: ['hooks.test'], resolve: here }
  const { error } = await send(`https://hooks.test:${port}/`, options)
  expect(error).toMatch(/^There was no response: [A-Z_]*(SELF_SIGNED|VERIFY)[A-Z_]*$/)
  expect(requests).toBe(0)
})

test('the end of the attempt ends a look-up too', async () => {
  const attempt = new AbortController()
  const { promise } = Promise.withResolvers<{ address: string; family: number }[]>()
  const options = { privateHosts: ['slow.test'], resolve: () => promise, signal: attempt.signal }
  const sending = send('http://slow.test/', options)
  attempt.abort(new Error('The process stops'))
  await expect(sending).rejects.toThrow('The process stops')
  await expect(send('http://slow.test/', options)).rejects.toThrow('The process stops')
})

test('the end of the attempt ends it', async () => {
  const { port, open } = await raw(() => {})
  const attempt = new AbortController()
  const sending = send(`http://127.0.0.1:${port}/`, { signal: attempt.signal })
  sending.catch(() => {})
  await expect.poll(() => open.size).toBe(1)
  attempt.abort(new Error('The process stops'))
  await expect(sending).rejects.toThrow('The process stops')
  await expect.poll(() => open.size).toBe(0)
})
