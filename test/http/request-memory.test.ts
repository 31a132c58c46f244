import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { processMemory } from '#src/runtime/http/memory-budget.ts'
import { client } from '#test/support/client.ts'
import { expectProblem } from '#test/support/expect.ts'
import {
  body,
  closeGate,
  gate,
  headers,
  large,
  mebibyte,
  memoryService,
  nothing,
  patience,
  post,
  something,
} from '#test/support/memory-service.ts'
import { rawRequest } from '#test/support/raw.ts'
import { as } from '#test/support/tokens.ts'

const { api, dial, lines, url } = await memoryService()

beforeEach(closeGate)
afterEach(nothing)

describe('what a body holds is given back when', () => {
  test('its response is sent', async () => {
    expect((await api('/echo', { body, headers })).status).toBe(200)
    expect(await gate.entered.promise).toBeGreaterThanOrEqual(2 * body.length)
  })

  test('its handler throws', async () => {
    await expectProblem(await api('/fail', { body, headers }), 500, 'INTERNAL')
    expect(await gate.entered.promise).toBeGreaterThan(0)
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
    gate.leave.resolve()
  })

  test('the client leaves while its handler works', async () => {
    const { socket } = dial().send(post('/wait') + body)
    await gate.entered.promise
    socket.destroy()
    await nothing()
    gate.leave.resolve()
  })

  test('a request waits for an earlier one of its connection, which is cut', async () => {
    const { socket } = dial().send(post('/wait') + body + post('/echo') + body)
    await gate.entered.promise
    await expect.poll(() => processMemory.reservedBytes, patience).toBeGreaterThanOrEqual(4 * body.length)
    socket.destroy()
    await nothing()
    gate.leave.resolve()
  })

  test('its stream is cut', async () => {
    const connection = dial().send(post('/flow') + body)
    await gate.entered.promise
    connection.socket.once('data', () => connection.socket.destroy())
    await nothing()
  })

  test('its response is a replay', async () => {
    const alice = client(url, await as('alice'))
    const send = () => alice('/once', { body, headers: { ...headers, 'Idempotency-Key': 'k' } })
    const [first, second] = [await send(), await send()]
    expect([first.status, second.status]).toEqual([200, 200])
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect(await gate.entered.promise).toBeGreaterThan(0)
  })
})

describe('a large response', () => {
  test('is held until the client has read it', async () => {
    const { socket } = dial().send(rawRequest('GET /large'))
    socket.pause()
    await expect.poll(() => processMemory.reservedBytes, patience).toBe(3 * large)
    socket.resume()
    await nothing()
  })

  test('that is compressed is given back', async () => {
    const connection = dial().send(rawRequest('GET /medium', { 'Accept-Encoding': 'gzip' }))
    expect((await connection.answer()).headers.get('content-encoding')).toBe('gzip')
    expect(await gate.entered.promise).toBe(0)
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
  expect(await gate.entered.promise).toBe(0)
})

describe('what a handler says that it will make', () => {
  test('is held until its response is sent', async () => {
    expect((await api(`/made?bytes=${large}`)).status).toBe(200)
    expect(await gate.entered.promise).toBe(large)
  })

  test('is refused while another request holds too much', async () => {
    const other = processMemory.open()
    other.reserve(processMemory.limitBytes)
    await expectProblem(await api(`/made?bytes=${large}`), 503, 'OVERLOADED')
    other.release()
  })
})
