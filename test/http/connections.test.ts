import { beforeEach, expect, test } from 'vitest'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { rawRequest } from '#test/support/raw.ts'
import { testServer } from '#test/support/server.ts'

let begun = Promise.withResolvers<void>()
let unanswered = Promise.withResolvers<void>()
let goOn = Promise.withResolvers<void>()

beforeEach(() => {
  begun = Promise.withResolvers()
  unanswered = Promise.withResolvers()
  goOn = Promise.withResolvers()
})

const { server, dial } = await testServer({
  databaseUrl: noDatabase,
  features: [
    featureOf(
      handlePlain({ method: 'get', path: '/begun', security: 'public' }, () => {
        async function* source() {
          yield Buffer.from('begun, ')
          begun.resolve()
          await goOn.promise
          yield Buffer.from('and ended')
        }
        return new Response(ReadableStream.from(source()))
      }),
      handlePlain({ method: 'get', path: '/unanswered', security: 'public' }, async (c) => {
        unanswered.resolve()
        await goOn.promise
        return c.body(null)
      }),
    ),
  ],
})

test('a connection is kept longer than Google’s front end keeps its own', async () => {
  const { headers } = await dial().send(rawRequest('GET /ping')).answer()
  expect(headers.get('keep-alive')).toBe('timeout=620')
  expect(server.keepAliveTimeout).toBe(620_000)
})

test('the time for headers is longer still: it runs from the last answer on', () => {
  expect(server.headersTimeout).toBeGreaterThan(server.keepAliveTimeout)
  expect(server.requestTimeout).toBeGreaterThanOrEqual(server.headersTimeout)
})

test('a connection serves many requests, sent together as well', async () => {
  const connection = dial()
  const paths = ['/ping', '/version', '/nowhere', '/ping']
  connection.send(paths.map((path) => rawRequest(`GET ${path}`)).join(''))
  const statuses: number[] = []
  for (const _path of paths) statuses.push((await connection.answer()).status)
  expect(statuses).toEqual([200, 200, 404, 200])
  connection.send(rawRequest('GET /ping', { Connection: 'close' }))
  expect((await connection.answer()).headers.get('connection')).toBe('close')
  await connection.closed
})

test('nonsense behind requests that were sent ahead is answered after them', async () => {
  const connection = dial()
  connection.send(rawRequest('GET /begun') + rawRequest('GET /unanswered') + rawRequest('GET /ping'))
  await begun.promise
  connection.send('GET /\0 HTTP/1.1\r\n').send('and more of it\r\n\r\n')
  goOn.resolve()
  const responses = []
  for (let count = 0; count < 4; count++) responses.push(await connection.answer())
  expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 400])
  expect(responses.map(({ body }) => body)).toEqual([
    ...['begun, and ended', '', '{"status":"ok"}', expect.stringContaining('MALFORMED_REQUEST')],
  ])
  await connection.closed
})

test('a client that ends in the middle of the next head gets the response to the one before', async () => {
  const connection = dial().send(`${rawRequest('GET /unanswered')}GET /pi`)
  connection.socket.end()
  await unanswered.promise
  goOn.resolve()
  expect(await connection.answer()).toMatchObject({ status: 200 })
  await connection.closed
})
