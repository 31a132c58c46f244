import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { defineRoute, handle, handlePlain, json, jsonBody } from '#src/runtime/routes/route.ts'
import { expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testServer } from '#test/support/server.ts'

const mebibyte = 1024 * 1024
const Length = z.strictObject({ length: z.int() })
const upload = defineRoute({
  method: 'post',
  path: '/upload',
  operationId: 'upload',
  summary: 'Count the characters',
  security: 'public',
  request: { body: jsonBody(z.strictObject({ text: z.string() })) },
  responses: { 200: json('How many', Length) },
})
const small = { ...upload, path: '/small', operationId: 'small', bodyLimit: 100 } as const
const count = async (body: { text: string }) => ({ length: body.text.length })

const feature = featureOf(
  handle(upload, async (c) => c.json(await count(c.req.valid('json')), 200)),
  handle(small, async (c) => c.json(await count(c.req.valid('json')), 200)),
  handlePlain({ method: 'post', path: '/raw', security: 'public', bodyLimit: 100 }, async (c) =>
    c.text(String((await c.req.arrayBuffer()).byteLength)),
  ),
  handlePlain({ method: 'delete', path: '/unread', security: 'public' }, (c) => c.text('gone')),
)
const { api, dial } = await testServer({ databaseUrl: noDatabase, features: [feature] })

/** A JSON body of so many bytes. */
const bodyOf = (bytes: number) => `{"text":"${'x'.repeat(bytes - 11)}"}`
const type = 'Content-Type: application/json\r\n'
const head = (path: string, more: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\n${type}${more}\r\n`
const inChunks = (text: string, size: number) =>
  `${(text.match(new RegExp(`.{1,${size}}`, 'g')) ?? []).map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`

const places: [string, number][] = [
  ['/upload', mebibyte],
  ['/small', 100],
  ['/raw', 100],
]

describe.each(places)('%s, which takes %i bytes', (path, limit) => {
  const headers = { 'Content-Type': 'application/json' }

  test('takes so many, by length and in chunks', async () => {
    expect((await api(path, { body: bodyOf(limit), headers })).status).toBe(200)
    const connection = dial().send(head(path, 'Transfer-Encoding: chunked\r\n'))
    expect((await connection.send(inChunks(bodyOf(limit), 50_000)).answer()).status).toBe(200)
  })

  test('refuses one more by its length alone, before it is sent', async () => {
    const connection = dial().send(head(path, `Content-Length: ${limit + 1}\r\n`))
    const { status, headers, body } = await connection.answer()
    expect([status, headers.get('connection')]).toEqual([413, 'close'])
    expect(JSON.parse(body)).toMatchObject({
      code: 'BODY_TOO_LARGE',
      detail: expect.stringContaining(String(limit)),
    })
    await connection.closed
  })

  test('refuses one more in chunks, as soon as it is read', async () => {
    const connection = dial().send(head(path, 'Transfer-Encoding: chunked\r\n'))
    const endless = inChunks(bodyOf(limit + 1), 50_000).slice(0, -5)
    const { status, headers, body } = await connection.send(endless).answer()
    expect([status, headers.get('connection')]).toEqual([413, 'close'])
    expect(JSON.parse(body)).toMatchObject({ code: 'BODY_TOO_LARGE' })
    await connection.closed
  })

  test('refuses a length that no body has', async () => {
    const { status } = await dial().send(head(path, 'Content-Length: 9007199254740991\r\n')).answer()
    expect(status).toBe(413)
  })

  test('answers a client that waits for 100-continue without its body', async () => {
    const connection = dial().send(head(path, `Expect: 100-continue\r\nContent-Length: ${limit + 1}\r\n`))
    const responses = [await connection.answer(), await connection.answer()]
    expect(responses.map(({ status }) => status)).toEqual([100, 413])
  })
})

test('a client that sends all of it at once reads the answer all the same', async () => {
  for (const bytes of [mebibyte + 1, 4 * mebibyte]) {
    const response = await api('/upload', {
      body: bodyOf(bytes),
      headers: { 'Content-Type': 'application/json' },
    })
    await expectProblem(response, 413, 'BODY_TOO_LARGE')
  }
})

describe('a connection stays usable after', () => {
  const refusals: [string, number, string][] = [
    ['malformed JSON', 400, `${head('/upload', 'Content-Length: 1\r\n')}{`],
    ['a body of another type', 415, 'POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\ntext'],
    [
      'a method that is not allowed',
      405,
      `PUT /upload HTTP/1.1\r\nHost: a\r\n${type}Content-Length: 2\r\n\r\n{}`,
    ],
    ['a path of nobody', 404, `${head('/nowhere', 'Content-Length: 2\r\n')}{}`],
    ['a query that is not known', 400, `${head('/upload?a=1', 'Content-Length: 2\r\n')}{}`],
    ['a body that nobody reads', 200, 'DELETE /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}'],
    [
      'a chunked body that nobody reads',
      404,
      head('/nowhere', 'Transfer-Encoding: chunked\r\n') + inChunks('x'.repeat(100_000), 10_000),
    ],
    ['a GET with a body', 404, 'GET /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}'],
    ['a HEAD', 404, 'HEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an invalid Host', 400, 'POST /upload HTTP/1.1\r\nHost: a b\r\nContent-Length: 2\r\n\r\n{}'],
  ]

  test.each(refusals)('%s (%i)', async (_what, status, bytes) => {
    const connection = dial().send(bytes)
    expect((await connection.answer(bytes.startsWith('HEAD'))).status).toBe(status)
    const body = bodyOf(20)
    connection.send(head('/upload', `Content-Length: ${body.length}\r\n`) + body)
    const next = await connection.answer()
    expect([next.status, next.body]).toEqual([200, '{"length":9}'])
  })
})

test('chunks of a byte are taken, but not 100,000 of them', async () => {
  const start = head('/upload', 'Transfer-Encoding: chunked\r\n')
  const few = await dial()
    .send(start + inChunks(bodyOf(4_000), 1))
    .answer()
  expect(few.status).toBe(200)
  const many = await dial()
    .send(start + inChunks(bodyOf(100_000), 1))
    .answer()
  expect(many.status).toBe(413)
  expect(many.body).toContain('too many small chunks')
})
