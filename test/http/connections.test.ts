import { once } from 'node:events'
import { expect, test } from 'vitest'
import { handlePlain } from '#src/runtime/openapi/route.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { rawRequest } from '#test/support/raw.ts'
import { testServer } from '#test/support/server.ts'

const { server, dial } = await testServer({
  databaseUrl: noDatabase,
  features: [
    featureOf(
      handlePlain({ method: 'get', path: '/endless', security: 'public' }, () => {
        return new Response(new ReadableStream({ start: (stream) => stream.enqueue(Buffer.from('begun')) }))
      }),
      handlePlain({ method: 'get', path: '/unanswered', security: 'public' }, async (c) => {
        await once(c.var.signal, 'abort')
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

test('nonsense behind requests sent ahead is not answered in the middle of an answer', async () => {
  const { send, socket, closed } = dial()
  let received = ''
  socket.on('data', (text) => {
    received += text
  })
  send(rawRequest('GET /endless') + rawRequest('GET /unanswered'))
  while (!received.includes('begun')) await once(socket, 'data')
  send('nonsense\r\n\r\n')
  await closed
  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200'])
})
