import { describe, expect, test } from 'vitest'
import { noDatabase } from '#test/support/feature.ts'
import { notes } from '#test/support/notes.ts'
import { testServer } from '#test/support/server.ts'

const { dial, lines, server } = await testServer({ databaseUrl: noDatabase, features: [notes] })
const long = 'x'.repeat(20_000)

/** Sends these bytes, and expects a problem of the server's own, complete, once. */
async function expectRefusal(bytes: string, status: number, code: string) {
  lines.length = 0
  const { headers, body, ...response } = await dial().send(bytes).answer()
  expect({ status: response.status, body }).toMatchObject({ status })
  expect(headers.get('content-type')).toBe('application/problem+json')
  expect(headers.get('cache-control')).toBe('no-store')
  const problem = JSON.parse(body)
  expect(problem).toMatchObject({ status, code, traceId: expect.stringMatching(/^[\da-f]{32}$/) })
  const labels = { request_id: headers.get('x-request-id') }
  expect(labels.request_id).toMatch(/^[\w-]{36}$/)
  expect(lines).toEqual([
    expect.objectContaining({
      severity: 'WARNING',
      httpRequest: { status },
      'logging.googleapis.com/trace': problem.traceId,
      'logging.googleapis.com/labels': labels,
    }),
  ])
  return headers
}

describe('what Node’s parser refuses is a problem as well', () => {
  test.each([
    ['no Host in HTTP/1.1', 'GET /ping HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET /ping HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
    ['two Hosts in HTTP/1.0', 'GET /ping HTTP/1.0\r\nHost: a\r\nhOST: b\r\n\r\n'],
    ['no Host and a body', 'POST /ping HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}'],
    ['an unknown version', 'GET /ping HTTP/3.0\r\nHost: a\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a NUL in the path', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['bytes beyond ASCII in the path', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a NUL in a header', 'GET /ping HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n'],
    ['a header without a name', 'GET /ping HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n'],
    ['a header without a colon', 'GET /ping HTTP/1.1\r\nHost: a\r\nrubbish\r\n\r\n'],
    ['a blank before the colon', 'GET /ping HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['a folded header', 'GET /ping HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n'],
    ['two lengths', 'POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}'],
    ['a negative length', 'POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'],
    ['a length that is no number', 'POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 1e2\r\n\r\n'],
    [
      'chunks and a length',
      'POST /ping HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n',
    ],
    ['an expectation of its own', 'POST /ping HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n'],
    ['a Host that is none', 'GET /ping HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['no HTTP at all', 'GET /ping\r\nrubbish\r\n\r\n'],
  ])('%s: 400', async (_what, bytes) => {
    await expectRefusal(bytes, 400, 'MALFORMED_REQUEST')
  })

  test.each([
    ['a header', `GET /ping HTTP/1.1\r\nHost: a\r\nX: ${long}\r\n\r\n`],
    ['the headers together', `GET /ping HTTP/1.1\r\nHost: a\r\n${'X: x\r\n'.repeat(5000)}\r\n`],
    ['a header’s name', `GET /ping HTTP/1.1\r\nHost: a\r\n${long}: x\r\n\r\n`],
    ['a cookie', `GET /ping HTTP/1.1\r\nHost: a\r\nCookie: a=${long}\r\n\r\n`],
    ['the path', `GET /${long} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['the query', `GET /ping?${long} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ])('beyond 16 KiB of %s: 431', async (_what, bytes) => {
    await expectRefusal(bytes, 431, 'HEADERS_TOO_LARGE')
  })

  test.each(['FOO', 'get', 'GETT', 'X-Y', 'post'])(
    'the method %s: 405, with what there is',
    async (method) => {
      const bytes = `${method} /ping HTTP/1.1\r\nHost: a\r\n\r\n`
      const headers = await expectRefusal(bytes, 405, 'METHOD_NOT_ALLOWED')
      expect(headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD', 'OPTIONS', 'POST'])
    },
  )

  test('CONNECT, which asks for a proxy: 405', async () => {
    const bytes = 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n'
    const headers = await expectRefusal(bytes, 405, 'METHOD_NOT_ALLOWED')
    expect(headers.get('allow')).toContain('GET')
  })

  test('an extension of a chunk that does not end: 413', async () => {
    const head = 'POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    const { status, body } = await dial().send(`${head}2;${long}=`).answer()
    expect([status, JSON.parse(body).code]).toEqual([413, 'BODY_TOO_LARGE'])
  })
})

describe('odd but valid requests are served', () => {
  test.each([
    ['HTTP/1.0 without a Host', 'GET /ping HTTP/1.0\r\n\r\n'],
    ['HTTP/1.0 with one', 'GET /ping HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['an empty Host', 'GET /ping HTTP/1.1\r\nHost:\r\n\r\n'],
    [
      'empty headers',
      'GET /ping HTTP/1.1\r\nHost: a\r\nX:\r\nAccept:\r\nX-Request-Id:\r\ntraceparent:\r\n\r\n',
    ],
    ['blank lines before it', '\r\n\r\nGET /ping HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['bytes beyond ASCII in a header', 'GET /ping HTTP/1.1\r\nHost: a\r\nUser-Agent: \xe9\xff\r\n\r\n'],
    ['the absolute form', 'GET http://a/ping HTTP/1.1\r\nHost: a\r\n\r\n'],
    [
      'an upgrade that nobody offers',
      'GET /ping HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    ],
    ['a GET with a body', 'GET /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}'],
  ])('%s', async (_what, bytes) => {
    const { status, body } = await dial().send(bytes).answer()
    expect([status, body]).toEqual([200, '{"status":"ok"}'])
  })

  test('a request that arrives byte by byte', async () => {
    const connection = dial()
    for (const byte of 'GET /ping HTTP/1.1\r\nHost: a\r\n\r\n') connection.send(byte)
    expect((await connection.answer()).status).toBe(200)
  })

  test('several requests on one connection, sent ahead, are answered in order', async () => {
    const connection = dial()
    for (const path of ['/ping', '/nowhere', '/version']) {
      connection.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
    }
    const responses = [await connection.answer(), await connection.answer(), await connection.answer()]
    expect(responses.map(({ status }) => status)).toEqual([200, 404, 200])
  })
})

test('a client that stops in the middle of its headers, and ends, gets an answer', async () => {
  const connection = dial().send('GET /ping HTTP/1.1\r\nHos')
  connection.socket.end()
  expect((await connection.answer()).status).toBe(400)
  await connection.closed
})

test('a client whose headers never end is told so when Node’s patience does', async () => {
  server.once('connection', (socket) => {
    const timeout = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    server.emit('clientError', timeout, socket)
  })
  const { status, body } = await dial().answer()
  expect([status, JSON.parse(body).code]).toEqual([408, 'REQUEST_INCOMPLETE'])
})
