import { describe, expect, test } from 'vitest'
import { expectLog, expectProblem, type LogEntry, rawRequest, refusesConnections } from '#test/kit'
import { sharedLab, startLab } from './lab.ts'

const lab = sharedLab()

/** The line of the request with this id, once it is there: the only one. */
async function lineOf(id: string, of = lab.process): Promise<LogEntry> {
  await of.line(/"httpRequest".*/) // there is one at all
  const own = () => expectLog(of.lines).filter((entry) => entry.httpRequest && labelOf(entry) === id)
  await expect.poll(() => own().length, { timeout: 15_000 }).toBe(1)
  return own()[0] as LogEntry
}

function labelOf(entry: LogEntry): unknown {
  return (entry['logging.googleapis.com/labels'] as Record<string, unknown>)?.request_id
}

/** Bytes of the large download. */
const large = 512 * 2 ** 16 + 'begun\nended\n'.length

let count = 0
/** A new id for a request. */
function newId(): string {
  count++
  return `stream-${count}`
}

/** Opens a stream and reads its first chunk. */
async function open(path: string, id: string, from = lab) {
  const leave = new AbortController()
  const url = new URL(path, from.process.url)
  const response = await fetch(url, { headers: { 'X-Request-Id': id }, signal: leave.signal })
  expect(response.status).toBe(200)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const { value } = await reader.read()
  return { response, leave, first: new TextDecoder().decode(value), rest: () => readAll(reader) }
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  let text = ''
  for (let read = await reader.read(); !read.done; read = await reader.read())
    text += new TextDecoder().decode(read.value)
  return text
}

describe('a stream that ends', () => {
  test.each([
    ['/streams/whole', 'text/csv', 'begun\nended\n'],
    ['/texts', 'text/plain', 'begun\nended\n'],
    [
      '/events/whole',
      'text/event-stream',
      'event: greeting\nid: 1\nretry: 1000\ndata: two\ndata: lines\n\ndata: ended\n\n',
    ],
    ['/hono/stream', 'application/octet-stream', 'begun\nended\n'],
    ['/hono/text', 'text/plain', 'begun\nended\n'],
    ['/own/exact', 'application/octet-stream', 'begun\n'],
  ])('%s comes whole, and is one line with its bytes', async (path, type, text) => {
    const id = newId()
    const response = await lab.api(path, { headers: { 'X-Request-Id': id, 'Accept-Encoding': 'gzip' } })
    expect(response.headers.get('content-type')?.split(';')[0]).toBe(type)
    expect(response.headers.get('content-encoding')).toBeNull()
    expect(response.headers.get('x-request-id')).toBe(id)
    expect(await response.text()).toBe(text)
    expect(await lineOf(id)).toMatchObject({
      ...{ severity: 'INFO', message: `GET ${path} 200` },
      httpRequest: { status: 200, responseSize: text.length },
    })
  })

  test('is there chunk by chunk, uncompressed, while it goes on', async () => {
    const { response, first, leave } = await open('/streams/endless', newId())
    expect(first).toBe('begun\n')
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="lines.csv"')
    expect(response.headers.get('transfer-encoding')).toBe('chunked')
    leave.abort()
  })

  test('carries its request to its end: what it reports then has the trace', async () => {
    const id = newId()
    await (await lab.api('/streams/whole', { headers: { 'X-Request-Id': id } })).text()
    await lineOf(id)
    const reported = expectLog(lab.process.lines).filter(({ message }) => message === 'ended by itself')
    expect(reported.map(labelOf)).toContain(id)
  })

  test('is asked for by HEAD without being sent', async () => {
    for (const path of ['/streams/endless', '/events/endless', '/hono/sse']) {
      const id = newId()
      const response = await lab.api(path, { method: 'HEAD', headers: { 'X-Request-Id': id } })
      expect([response.status, await response.text()]).toEqual([200, ''])
      expect(await lineOf(id)).toMatchObject({ message: `HEAD ${path} 200` })
    }
  })

  test('waits for a client that reads slowly', async () => {
    const id = newId()
    const { first, rest } = await open('/streams/large', id)
    for (let pings = 0; pings < 20; pings++) await (await lab.api('/ping')).text()
    const halfway = expectLog(lab.process.lines).filter((entry) => entry.httpRequest && labelOf(entry) === id)
    expect(halfway).toEqual([])
    expect(first.length + (await rest()).length).toBe(large)
    expect(await lineOf(id)).toMatchObject({ httpRequest: { status: 200, responseSize: large } })
  })
})

describe('a stream that fails', () => {
  test.each([
    '/streams/fails-at-once',
    '/streams/fails-early',
    '/events/fails-at-once',
    '/own/error',
    '/own/short',
    '/own/long',
  ])('%s, before its first chunk, is a problem that hides its cause', async (path) => {
    const id = newId()
    const response = await lab.api(path, { headers: { 'X-Request-Id': id } })
    expect(JSON.stringify(await expectProblem(response, 500, 'INTERNAL'))).not.toContain('hunter2')
    expect(await lineOf(id)).toMatchObject({ severity: 'ERROR', message: `GET ${path} 500` })
    const causes = expectLog(lab.process.lines).filter((entry) => entry.stack_trace && labelOf(entry) === id)
    expect(String(causes[0]?.stack_trace)).toMatch(/hunter2|Content-Length is (100|3), but/)
  })

  test.each([
    ['/streams/fails-late', 'the second query failed'],
    ['/events/fails-late', 'the second query failed'],
    ['/streams/odd', 'must be strings or bytes'],
    ['/own/short-later', 'Content-Length is 100'],
  ])('%s, after its head, is cut, and is one ERROR line with its cause', async (path, cause) => {
    const id = newId()
    const { rest } = await open(path, id)
    await expect(rest()).rejects.toThrow('terminated')
    expect(await lineOf(id)).toMatchObject({
      ...{ severity: 'ERROR', message: `GET ${path} 200, cut off: its stream failed` },
      stack_trace: expect.stringContaining(cause),
      httpRequest: { status: 200 },
    })
  })
})

describe('a client that leaves', () => {
  test.each(['/streams/endless', '/events/endless'])(
    'in the middle of %s aborts its signal: 499',
    async (path) => {
      const id = newId()
      const { leave } = await open(path, id)
      leave.abort()
      expect(await lineOf(id)).toMatchObject({ severity: 'WARNING', message: `GET ${path} 499` })
      const heard = () =>
        expectLog(lab.process.lines).filter(({ message }) => message === 'the signal aborted')
      await expect.poll(() => heard().map(labelOf)).toContain(id)
      expect(heard().find((entry) => labelOf(entry) === id)).toMatchObject({
        data: { reason: 'The client left' },
      })
    },
  )

  test('ends Hono’s stream of events', async () => {
    const id = newId()
    const { leave } = await open('/hono/sse', id)
    leave.abort()
    expect(await lineOf(id)).toMatchObject({ message: 'GET /hono/sse 499' })
    const heard = () => expectLog(lab.process.lines).filter(({ message }) => message.startsWith('hono heard'))
    await expect.poll(() => heard().map(labelOf)).toContain(id)
  })
})

describe('at the deadline of its request', () => {
  const short = sharedLab({ REQUEST_TIMEOUT: '2' })

  test.each([
    ['/events/endless', 'INFO', 'GET /events/endless 200'],
    ['/streams/endless', 'INFO', 'GET /streams/endless 200'],
    ['/events/deaf', 'WARNING', 'GET /events/deaf 200, ended by the service: The request took too long'],
    ['/hono/sse', 'WARNING', 'GET /hono/sse 200, ended by the service: The request took too long'],
  ])('%s ends in good order', async (path, severity, message) => {
    const id = newId()
    const { rest } = await open(path, id, short)
    await rest()
    expect(await lineOf(id, short.process)).toMatchObject({ severity, message })
  })

  test('a download that does not hear of it is cut', async () => {
    const id = newId()
    const { rest } = await open('/streams/deaf', id, short)
    await expect(rest()).rejects.toThrow('terminated')
    expect(await lineOf(id, short.process)).toMatchObject({
      ...{
        severity: 'WARNING',
        message: 'GET /streams/deaf 200, ended by the service: The request took too long',
      },
    })
  })

  test('so is one whose client never reads', async () => {
    const id = newId()
    const { socket, send, closed } = short.process.dial()
    send(rawRequest('GET /streams/large', { 'X-Request-Id': id }))
    socket.pause()
    expect(await lineOf(id, short.process)).toMatchObject({ severity: 'WARNING' })
    socket.resume()
    await closed
  })
})

describe('when the process stops (SIGTERM)', () => {
  test.each([
    ['/events/endless', 'INFO', 'GET /events/endless 200'],
    ['/events/deaf', 'WARNING', 'GET /events/deaf 200, ended by the service: The process stops'],
    ['/hono/sse', 'WARNING', 'GET /hono/sse 200, ended by the service: The process stops'],
  ])('%s ends in good order, long before the drain does', async (path, severity, message) => {
    const own = await startLab()
    const id = newId()
    const { rest } = await open(path, id, own as typeof lab)
    const began = performance.now()
    own.process.child.kill('SIGTERM')
    await rest()
    expect(await own.process.exit).toBe(0)
    expect(performance.now() - began).toBeLessThan(5000)
    expect(await lineOf(id, own.process)).toMatchObject({ severity, message })
    expect(expectLog(own.process.lines).at(-1)).toMatchObject({ finished: true })
  })

  test('a download is finished', async () => {
    const own = await startLab()
    const { first, rest } = await open('/streams/large', newId(), own as typeof lab)
    own.process.child.kill('SIGTERM')
    await refusesConnections(own.process)
    expect(first.length + (await rest()).length).toBe(large)
    expect(await own.process.exit).toBe(0)
  })
})

test('the contract says of what type a stream is', async () => {
  const { paths } = (await (await lab.api('/openapi.json')).json()) as { paths: Record<string, never> }
  expect(paths).toMatchObject({
    '/streams/{kind}': {
      get: { responses: { 200: { content: { 'text/csv': { schema: { type: 'string' } } } } } },
    },
    '/events/{kind}': { get: { responses: { 200: { content: { 'text/event-stream': {} } } } } },
  })
})
