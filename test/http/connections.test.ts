import { expect, test } from 'vitest'
import { noDatabase } from '#test/support/feature.ts'
import { rawRequest } from '#test/support/raw.ts'
import { testServer } from '#test/support/server.ts'

const { server, dial } = await testServer({ databaseUrl: noDatabase })

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
