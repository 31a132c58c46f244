import { gunzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { expect, test, vi } from 'vitest'
import { contractFile } from '#src/runtime/routes/contract-file.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testServer } from '#test/support/server.ts'

const { api, dial } = await testServer({
  databaseUrl: noDatabase,
  environment: { CORS_ORIGINS: 'https://page.example' },
})

test.each([
  [undefined, false],
  ['gzip', true],
  ['GZIP, br', true],
  ['br;q=1, gzip;q=0.5', true],
  ['*', true],
  ['gzip;q=0', false],
  ['gzip;q=0, *', false],
  ['identity', false],
  ['br', false],
])('Accept-Encoding: %s gets the bytes that it takes', async (encoding, zipped) => {
  const header = encoding === undefined ? '' : `Accept-Encoding: ${encoding}\r\n`
  const connection = dial().send(
    `GET /openapi.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${header}\r\n`,
  )
  const { status, headers } = await connection.answer(true)
  expect([status, headers.get('content-encoding') === 'gzip']).toEqual([200, zipped])
  expect(headers.get('vary')).toMatch(/accept-encoding/i)
  expect(headers.get('content-type')).toBe('application/json')
  expect(Number(headers.get('content-length'))).toBeGreaterThan(1000)
})

test('each form has a strong tag of its own, and either tag is a 304', async () => {
  const response = await api('/openapi.json', { headers: { Origin: 'https://page.example' } })
  const tag = response.headers.get('etag') ?? ''
  expect(tag).toMatch(/^"[\w-]{22}-gzip"$/)
  expect(response.headers.get('vary')).toBe('Accept-Encoding, Origin')
  expect(await response.json()).toMatchObject({ openapi: '3.1.0' })
  for (const match of [tag, `W/${tag}`, tag.replace('-gzip', ''), `"other", ${tag}`, '*']) {
    const again = await api('/openapi.json', { headers: { 'If-None-Match': match } })
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', tag])
  }
  expect((await api('/openapi.json', { headers: { 'If-None-Match': '"other"' } })).status).toBe(200)
  const head = await api('/openapi.json', { method: 'HEAD' })
  expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, tag, ''])
})

test('it is made once, and again after a failure', async () => {
  const make = vi
    .fn<() => Promise<object>>()
    .mockRejectedValueOnce(new Error('first'))
    .mockResolvedValue({ openapi: '3.1.0' })
  const app = new Hono().get('/', contractFile(make)).onError((_error, c) => c.text('', 500))
  expect((await app.request('/')).status).toBe(500)
  const both = await Promise.all([
    app.request('/'),
    app.request('/', { headers: { 'Accept-Encoding': 'gzip' } }),
  ])
  const [plain, zipped] = await Promise.all(
    both.map(async (response) => Buffer.from(await response.arrayBuffer())),
  )
  expect(plain?.toString()).toBe('{"openapi":"3.1.0"}')
  expect(gunzipSync(zipped ?? '').toString()).toBe('{"openapi":"3.1.0"}')
  expect(make).toHaveBeenCalledTimes(2)
})
