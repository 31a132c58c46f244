import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { expect, test, vi } from 'vitest'
import { startLab } from '#test/lab/lab.ts'
import { type Asked, answer, cut, good, guard, startCallTarget } from './call-target.ts'

// `call` in the bundle. The guard ends a process whose request leaves something behind.

const { other, ask, lab } = await startCallTarget()

const cutInside: RequestListener = (request, response) => {
  response.writeHead(200, { 'Content-Length': '100' }).write('half')
  setImmediate(() => request.socket.destroy())
}
const problem = answer(
  409,
  { 'Content-Type': 'application/problem+json' },
  '{"code":"STOCK_EMPTY","title":"There is none","status":409}',
)
const soon = { 'Retry-After': '0' }
const name = (method: string) => `${method} ${other.url}`

interface Row {
  what: string
  options?: object
  answers: (number | RequestListener)[]
  sent: number
  gets: Asked
}

test.each<Row>([
  { what: 'a GET after a 503', answers: [503], sent: 2, gets: good },
  { what: 'a GET after a 429 that says when', answers: [answer(429, soon)], sent: 2, gets: good },
  { what: 'a GET that is cut', answers: [cut], sent: 2, gets: good },
  { what: 'a GET whose body is cut', answers: [cutInside], sent: 2, gets: good },
  { what: 'a PUT after a 502', options: { method: 'PUT' }, answers: [502], sent: 2, gets: good },
  { what: 'a POST with a key', options: { method: 'POST', key: 'k' }, answers: [504], sent: 2, gets: good },
  {
    what: 'a POST whose key is in use',
    options: { method: 'POST', key: 'k' },
    answers: [answer(409, soon)],
    ...{ sent: 2, gets: good },
  },
])('$what is sent again', async ({ options, answers, sent, gets }) => {
  other.answers = answers
  expect(await ask(options)).toEqual(gets)
  expect(other.received).toHaveLength(sent)
  expect(new Set(other.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
})

const refused = (method: string, status: number) => ({
  error: `${name(method)} responded with ${status}`,
  status,
})

test.each<Row>([
  { what: 'three 503', answers: [503, 503, 503], sent: 3, gets: refused('GET', 503) },
  { what: 'a 500', answers: [500], sent: 1, gets: refused('GET', 500) },
  { what: 'a redirect', answers: [answer(302, { Location: '/' })], sent: 1, gets: refused('GET', 302) },
  {
    what: 'a 503 that asks for a long wait',
    answers: [answer(503, { 'Retry-After': '60' })],
    ...{ sent: 1, gets: refused('GET', 503) },
  },
  {
    what: 'a 503 that asks for a date after the deadline',
    answers: [answer(503, { 'Retry-After': new Date(Date.now() + 3_600_000).toUTCString() })],
    ...{ sent: 1, gets: refused('GET', 503) },
  },
  {
    what: 'a wait that ends after the deadline of 7.2 s',
    answers: [answer(503, { 'Retry-After': '7' })],
    ...{ sent: 1, gets: refused('GET', 503) },
  },
  {
    what: 'a POST without a key',
    options: { method: 'POST' },
    answers: [503],
    ...{ sent: 1, gets: refused('POST', 503) },
  },
  {
    what: 'a POST without a key that is cut',
    options: { method: 'POST' },
    answers: [cut],
    ...{ sent: 1, gets: { error: `${name('POST')} got no response: UND_ERR_SOCKET` } },
  },
  {
    what: 'a problem',
    answers: [problem],
    ...{ sent: 1, gets: { ...refused('GET', 409), code: 'STOCK_EMPTY' } },
  },
  {
    what: 'a page of a proxy',
    answers: [answer(404, { 'Content-Type': 'text/html' }, '<h1>None</h1>')],
    ...{ sent: 1, gets: refused('GET', 404) },
  },
  {
    what: 'a problem that is no JSON',
    answers: [answer(404, { 'Content-Type': 'application/problem+json' }, '{"code')],
    ...{ sent: 1, gets: refused('GET', 404) },
  },
  {
    what: 'a body that is too long',
    options: { maxBytes: 7 },
    answers: [],
    ...{ sent: 1, gets: { error: `The response to ${name('GET')} is longer than 7 bytes: give maxBytes.` } },
  },
])('$what is an error, which names no query', async ({ options, answers, sent, gets }) => {
  other.answers = answers
  const { error = '', ...rest } = await ask(options)
  const { error: expected = '', ...others } = gets
  expect(rest).toEqual(others)
  expect(error.replace(/ STOCK_EMPTY$/, '')).toBe(expected)
  expect(other.received).toHaveLength(sent)
})

test('it carries the trace, the request’s id and the JSON', async () => {
  await ask(
    { method: 'POST' },
    { 'X-Request-Id': 'mine', traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` },
  )
  const [{ headers, body } = { headers: {}, body: '' }] = other.received
  expect(headers).toMatchObject({
    'x-request-id': 'mine',
    traceparent: expect.stringMatching(/^00-1{32}-[\da-f]{16}-01$/),
    'content-type': 'application/json',
    connection: 'close',
  })
  expect(JSON.parse(body)).toEqual({ item: 'Teapot' })
})

test.each(['while the other is slow', 'in the wait for the next attempt'])(
  'a client that leaves %s ends the call',
  async (moment) => {
    const arrived = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    other.answers = [
      (request, response) => {
        void once(request.socket, 'close').then(() => closed.resolve())
        if (moment.startsWith('in')) response.writeHead(503, { 'Retry-After': '5' }).end()
        arrived.resolve()
      },
    ]
    const client = new AbortController()
    const left = fetch(`${lab().process.url}/outgoing/ask`, {
      ...{ method: 'POST', signal: client.signal, body: JSON.stringify({ url: other.url }) },
      headers: { 'Content-Type': 'application/json' },
    }).catch((error: Error) => error.name)
    await arrived.promise
    if (moment.startsWith('in')) await closed.promise // the response has arrived
    client.abort()
    await closed.promise
    expect(await left).toBe('AbortError')
    await lab().process.line(/"status":499.*outgoing\/ask|outgoing\/ask.*"status":499/)
    expect((await lab().api('/ping')).status).toBe(200)
    expect(other.received).toHaveLength(1)
    const seen = () => lab().process.lines.filter((line) => line.includes('"guard":"idle"'))
    const before = seen().length
    lab().process.child.kill('SIGUSR2')
    await vi.waitFor(() => expect(seen()).toHaveLength(before + 1))
    expect(JSON.parse(seen().at(-1) ?? '')).toEqual({ guard: 'idle', leftovers: [] })
  },
)

test('a service that never responds costs the request its deadline, and the connection ends', async () => {
  const { api, process } = await startLab({ REQUEST_TIMEOUT: '2s', GUARD: 'fail' }, guard)
  const closed = Promise.withResolvers<void>()
  other.answers = [(request) => void once(request.socket, 'close').then(() => closed.resolve())]
  const response = await api('/outgoing/ask', { json: { url: other.url } })
  expect([response.status, other.received.length]).toEqual([503, 1])
  await closed.promise
  expect((await api('/ping')).status).toBe(200)
  expect(process.child.exitCode).toBe(null)
})
