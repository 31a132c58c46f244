import { z } from '@hono/zod-openapi'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { processBytes } from '#src/runtime/http/held-bytes.ts'
import { sendStream } from '#src/runtime/http/send-stream.ts'
import { defineRoute, handle, handlePlain, json, jsonBody } from '#src/runtime/openapi/route.ts'
import { stream } from '#src/runtime/openapi/stream.ts'
import { client } from '#test/support/client.ts'
import { expectProblem } from '#test/support/expect.ts'
import { featureOf } from '#test/support/feature.ts'
import { rawRequest } from '#test/support/raw.ts'
import { testServer } from '#test/support/server.ts'
import { as } from '#test/support/tokens.ts'

const mebibyte = 1024 * 1024
const large = 32 * mebibyte // more than a connection takes in by itself
const Text = z.strictObject({ text: z.string() })
const open = { method: 'post', security: 'public', summary: 'Take a body' } as const
const take = {
  ...open,
  request: { body: jsonBody(Text) },
  responses: { 200: json('As sent', Text) },
} as const

let entered = Promise.withResolvers<number>()
let leave = Promise.withResolvers<void>()
const patience = { interval: 5, timeout: 20_000 }
/** What is held while a handler runs. */
const enter = () => entered.resolve(processBytes.held)

const echo = handle(defineRoute({ ...take, path: '/echo', operationId: 'echo' }), (c) => {
  enter()
  return c.json(c.req.valid('json'), 200)
})
const fail = handle(defineRoute({ ...take, path: '/fail', operationId: 'fail' }), () => {
  enter()
  throw new Error('Broken')
})
const wait = handle(defineRoute({ ...take, path: '/wait', operationId: 'wait' }), async (c) => {
  enter()
  await leave.promise
  return c.json(c.req.valid('json'), 200)
})
const once = defineRoute({
  ...take,
  path: '/once',
  operationId: 'once',
  security: 'authenticated',
  idempotent: true,
})
const flow = defineRoute({
  ...open,
  path: '/flow',
  operationId: 'flow',
  request: { body: jsonBody(Text) },
  responses: { 200: stream('text/plain', 'Without end') },
})
async function* endless(): AsyncIterable<string> {
  for (;;) yield 'x'.repeat(1000)
}

const { api, dial, url, lines } = await testServer({
  environment: { REQUEST_TIMEOUT: '4' },
  features: [
    featureOf(
      echo,
      fail,
      wait,
      handle(once, (c) => {
        enter()
        return c.json(c.req.valid('json'), 200)
      }),
      handle(flow, (c) => {
        enter()
        return sendStream(c, 'text/plain', endless())
      }),
      handlePlain({ method: 'post', path: '/plain', security: 'public' }, async (c) => {
        enter()
        return c.text(String((await c.req.raw.text()).length))
      }),
      handlePlain({ method: 'get', path: '/large', security: 'public' }, (c) => c.text('x'.repeat(large))),
      handlePlain({ method: 'get', path: '/medium', security: 'public' }, (c) => {
        enter()
        return c.text('x'.repeat(100_000))
      }),
      handlePlain({ method: 'get', path: '/small', security: 'public' }, (c) => {
        enter()
        return c.text('x')
      }),
    ),
  ],
})

const body = JSON.stringify({ text: 'x'.repeat(10_000) })
const headers = { 'Content-Type': 'application/json' }
const post = (path: string, length = body.length) =>
  rawRequest(`POST ${path}`, { ...headers, 'Content-Length': String(length) })
const nothing = () => expect.poll(() => processBytes.held, patience).toBe(0)
const something = () => expect.poll(() => processBytes.held, patience).toBeGreaterThan(0)

beforeEach(() => {
  entered = Promise.withResolvers()
  leave = Promise.withResolvers()
})
afterEach(nothing)

describe('what a body holds is given back when', () => {
  test('its response is sent', async () => {
    expect((await api('/echo', { body, headers })).status).toBe(200)
    expect(await entered.promise).toBeGreaterThanOrEqual(2 * body.length)
  })

  test('its handler throws', async () => {
    await expectProblem(await api('/fail', { body, headers }), 500, 'INTERNAL')
    expect(await entered.promise).toBeGreaterThan(0)
  })

  test('it does not fit', async () => {
    await expectProblem(await api('/echo', { body: '{"text":1}', headers }), 400, 'VALIDATION_FAILED')
  })

  test('it is of another type, and unread', async () => {
    const connection = dial().send(rawRequest('POST /echo', { 'Content-Length': '10000' }))
    expect((await connection.answer()).status).toBe(415)
    await nothing()
  })

  test.each(['by its length', 'in chunks'])('it is too large %s', async (way) => {
    const length = way === 'in chunks' ? 'Transfer-Encoding: chunked' : `Content-Length: ${mebibyte + 1}`
    const connection = dial().send(
      `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${length}\r\n\r\n`,
    )
    if (way === 'in chunks') {
      connection.send(`${(1000).toString(16)}\r\n${'x'.repeat(1000)}\r\n`)
      await something()
      connection.send(`${mebibyte.toString(16)}\r\n${'x'.repeat(mebibyte)}\r\n`)
    }
    expect((await connection.answer()).status).toBe(413)
    await nothing() // although the client has not finished
  })

  test.each(['/echo', '/plain'])('the client leaves in the middle of it: %s', async (path) => {
    const { socket } = dial().send(post(path) + body.slice(0, 5000))
    await something()
    socket.destroy()
    await nothing()
  })

  test.each(['/echo', '/plain'])('it does not arrive before the deadline: %s', async (path) => {
    const connection = dial().send(post(path) + body.slice(0, 5000))
    await something()
    expect((await connection.answer()).status).toBe(408)
    await nothing()
  })

  test('its handler misses the deadline', async () => {
    await expectProblem(await api('/wait', { body, headers }), 503, 'DEADLINE_EXCEEDED')
    await nothing()
    leave.resolve()
  })

  test('the client leaves while its handler works', async () => {
    const { socket } = dial().send(post('/wait') + body)
    await entered.promise
    socket.destroy()
    await nothing()
    leave.resolve()
  })

  test('a request waits for an earlier one of its connection, which is cut', async () => {
    const { socket } = dial().send(post('/wait') + body + post('/echo') + body)
    await entered.promise
    await expect.poll(() => processBytes.held, patience).toBeGreaterThanOrEqual(4 * body.length)
    socket.destroy()
    await nothing()
    leave.resolve()
  })

  test('its stream is cut', async () => {
    const connection = dial().send(post('/flow') + body)
    await entered.promise
    connection.socket.once('data', () => connection.socket.destroy())
    await nothing()
  })

  test('its response is a replay', async () => {
    const alice = client(url, await as('alice'))
    const send = () => alice('/once', { body, headers: { ...headers, 'Idempotency-Key': 'k' } })
    const [first, second] = [await send(), await send()]
    expect([first.status, second.status]).toEqual([200, 200])
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect(await entered.promise).toBeGreaterThan(0)
  })
})

describe('a large response', () => {
  test('is held until the client has read it', async () => {
    const { socket } = dial().send(rawRequest('GET /large'))
    socket.pause()
    await expect.poll(() => processBytes.held, patience).toBe(3 * large)
    socket.resume()
    await nothing()
  })

  test('that is compressed is given back', async () => {
    const connection = dial().send(rawRequest('GET /medium', { 'Accept-Encoding': 'gzip' }))
    expect((await connection.answer()).headers.get('content-encoding')).toBe('gzip')
    expect(await entered.promise).toBe(0)
    await nothing()
  })

  test('that is not read before the deadline is cut', async () => {
    const { socket } = dial().send(rawRequest('GET /large'))
    socket.pause()
    await something()
    await nothing()
    expect(lines.map(({ message }) => message)).toContain(
      'The client did not take its response before the deadline: it was cut',
    )
  })

  test('is given back when the client leaves', async () => {
    const { socket } = dial().send(rawRequest('GET /large'))
    socket.pause()
    await something()
    socket.destroy()
    await nothing()
  })

  test('to HEAD is given back', async () => {
    const connection = dial().send(rawRequest('HEAD /large'))
    expect((await connection.answer(true)).status).toBe(200)
    await nothing()
  })
})

test('a request without a body and with a small response holds nothing', async () => {
  expect(await (await api('/small')).text()).toBe('x')
  expect(await entered.promise).toBe(0)
})

describe('where others hold much', () => {
  let others = processBytes.begin()
  beforeEach(() => {
    others = processBytes.begin()
    others.take(processBytes.limit * (7 / 8) - mebibyte)
  })
  afterEach(() => others.release())
  const long = JSON.stringify({ text: 'x'.repeat(600_000) })

  /** Expects a 503 that says when to come back. */
  async function expectShed(response: Response) {
    expect(response.headers.get('retry-after')).toBe('1')
    await expectProblem(response, 503, 'OVERLOADED')
  }

  test('a large body is refused before it is sent', async () => {
    const connection = dial().send(post('/echo', 600_000))
    const early = await connection.answer()
    expect([early.status, early.headers.get('retry-after'), JSON.parse(early.body)]).toEqual([
      ...[503, '1', expect.objectContaining({ code: 'OVERLOADED' })],
    ])
    await expectShed(await api('/echo', { body: long, headers }))
    await expectShed(await api('/plain', { body: long }))
  })

  test('a large body in chunks is refused while it is read', async () => {
    const chunks = new Blob(Array.from({ length: 10 }, () => 'x'.repeat(100_000))).stream()
    const init = { method: 'POST', body: chunks, duplex: 'half' } as const
    await expectShed(await fetch(`${url}/plain`, init))
  })

  test('a large response becomes a problem', async () => {
    await expectShed(await api('/large'))
  })

  test('small requests are let in, by their length and in chunks', async () => {
    expect((await api('/echo', { body, headers })).status).toBe(200)
    const chunks = new Blob([body]).stream()
    const init = { method: 'POST', body: chunks, duplex: 'half', headers } as const
    expect((await fetch(`${url}/echo`, init)).status).toBe(200)
    expect((await api('/ping')).status).toBe(200)
  })

  test('an idempotent route whose response is refused has done nothing', async () => {
    const alice = client(url, await as('alice'))
    const medium = JSON.stringify({ text: 'x'.repeat(100_000) })
    const send = () => alice('/once', { body: medium, headers: { ...headers, 'Idempotency-Key': 'shed' } })
    others.take(mebibyte - 2.5 * medium.length)
    await expectShed(await send())
    expect(await entered.promise).toBeGreaterThan(0)
    others.release()
    const second = await send()
    expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([200, null])
  })
})
