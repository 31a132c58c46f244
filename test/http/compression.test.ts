import { gunzipSync } from 'node:zlib'
import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { entityTag, noneMatch } from '#src/runtime/http/preconditions.ts'
import { defineRoute, handle, handlePlain, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem, type Json } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { noteScopes, notes } from '#test/support/notes.ts'
import { testServer } from '#test/support/server.ts'
import { testService } from '#test/support/service.ts'

const Text = z.strictObject({ text: z.string() })
const route = defineRoute({
  method: 'get',
  path: '/texts/{size}',
  operationId: 'getText',
  summary: 'Answer so many bytes',
  security: 'public',
  request: {
    params: z.object({ size: z.string() }),
    headers: z.object({ 'if-none-match': z.string().optional() }),
  },
  responses: { 200: json('A text', Text), 304: { description: 'Not changed' } },
})
const text = handle(route, async (c) => {
  const ETag = entityTag(7)
  if (!noneMatch(c.req.valid('header')['if-none-match'], ETag)) return c.body(null, 304, { ETag })
  const size = Number(c.req.valid('param').size) - '{"text":""}'.length
  return c.json({ text: 'x'.repeat(size) }, 200, { ETag })
})
const plain = (path: string, type: string) =>
  handlePlain({ method: 'get', path, security: 'public' }, (c) =>
    c.body('x'.repeat(4096), 200, { 'Content-Type': type }),
  )

const feature = featureOf(text, plain('/picture', 'image/png'), plain('/page', 'text/html'))
const gzip = { 'Accept-Encoding': 'gzip, deflate, br' }
const { api } = await testService({ databaseUrl: noDatabase, features: [feature] })

async function unzipped(response: Response): Promise<string> {
  return gunzipSync(new Uint8Array(await response.arrayBuffer())).toString()
}

describe('an answer above 1 KiB', () => {
  test('is compressed by gzip for a client that takes it, with Vary and a weak ETag', async () => {
    const response = await api('/texts/1025', { headers: gzip })
    const { headers } = response
    expect(headers.get('content-encoding')).toBe('gzip')
    expect(headers.get('vary')).toBe('Accept-Encoding')
    expect(headers.get('etag')).toBe('W/"7"')
    expect(Number(headers.get('content-length'))).toBeLessThan(100)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('x-request-id')).not.toBeNull()
    expect(JSON.parse(await unzipped(response))).toEqual({ text: expect.stringMatching(/^x{1014}$/) })
  })

  test.each([undefined, '', 'identity', 'br', 'deflate', 'gzip;q=0', 'identity, gzip;q=0'])(
    'is sent as it is to one that takes %j, with Vary',
    async (accepted) => {
      const headers: Record<string, string> = accepted === undefined ? {} : { 'Accept-Encoding': accepted }
      const response = await api('/texts/1025', { headers })
      expect(response.headers.get('content-encoding')).toBeNull()
      expect(response.headers.get('vary')).toBe('Accept-Encoding')
      expect(response.headers.get('etag')).toBe('"7"')
      expect(response.headers.get('content-length')).toBe('1025')
      await expectJson(response)
    },
  )

  test.each(['gzip', '*', 'br;q=1.0, gzip;q=0.5', 'GZIP'])(
    'is compressed for one that says %s',
    async (accepted) => {
      const response = await api('/texts/5000', { headers: { 'Accept-Encoding': accepted } })
      expect(response.headers.get('content-encoding')).toBe('gzip')
      expect(await unzipped(response)).toHaveLength(5000)
    },
  )

  test('is compressed where it is a problem, too', async () => {
    const keys = Array.from({ length: 100 }, (_none, index) => `key${index}=1`)
    const response = await api(`/ping?${keys.join('&')}`, { headers: gzip })
    expect([response.status, response.headers.get('content-encoding')]).toEqual([400, 'gzip'])
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(JSON.parse(await unzipped(response))).toMatchObject({ code: 'VALIDATION_FAILED' })
  })

  test('is compressed outside the contract by its type: a page is, a picture is not', async () => {
    expect((await api('/page', { headers: gzip })).headers.get('content-encoding')).toBe('gzip')
    const picture = await api('/picture', { headers: gzip })
    expect(picture.headers.get('content-encoding')).toBeNull()
    expect(picture.headers.get('vary')).toBeNull()
  })

  test('asked for by HEAD keeps the length of what GET sends uncompressed, and Vary', async () => {
    const response = await api('/texts/1025', { method: 'HEAD', headers: gzip })
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect(response.headers.get('content-encoding')).toBeNull()
    expect(response.headers.get('content-length')).toBe('1025')
    expect(response.headers.get('vary')).toBe('Accept-Encoding')
  })
})

test.each([100, 1023, 1024])('an answer of %i bytes is sent as it is, without Vary', async (size) => {
  const response = await api(`/texts/${size}`, { headers: gzip })
  expect(response.headers.get('content-encoding')).toBeNull()
  expect(response.headers.get('vary')).toBeNull()
  expect(response.headers.get('etag')).toBe('"7"')
  expect(await response.text()).toHaveLength(size)
})

test('a small answer is sent as it is with CORS on, too', async () => {
  const environment = { CORS_ORIGINS: '*' }
  const { api } = await testService({ databaseUrl: noDatabase, features: [feature], environment })
  const response = await api('/texts/1024', { headers: gzip })
  expect(response.headers.get('content-encoding')).toBeNull()
  expect(await response.text()).toHaveLength(1024)
})

test.each(['W/"7"', '"7"', '"1", W/"7"', '*'])('If-None-Match %s is answered 304', async (tag) => {
  const response = await api('/texts/1025', { headers: { ...gzip, 'If-None-Match': tag } })
  expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, '"7"', ''])
  expect(response.headers.get('content-encoding')).toBeNull()
  expect(response.headers.get('content-length')).toBeNull()
})

test('over the wire, a compressed answer comes whole, and the connection stays usable', async () => {
  const { dial } = await testServer({ databaseUrl: noDatabase, features: [feature] })
  const connection = dial()
  for (const size of [200_000, 50_000]) {
    connection.send(`GET /texts/${size} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n`)
    const { headers, body } = await connection.answer()
    expect(headers.get('transfer-encoding')).toBeNull()
    expect(headers.get('content-encoding')).toBe('gzip')
    expect(gunzipSync(Buffer.from(body, 'latin1'))).toHaveLength(size)
  }
})

describe('a note', () => {
  test('can be closed by the weak form of its ETag, as a compressed answer carries it', async () => {
    const service = await testService({ features: [notes] })
    const alice = await service.as('alice', noteScopes)
    const written = await alice('/notes', { json: { text: 'Tea', pages: 2 } })
    const { id } = await expectJson(written, 201)
    const weak = `W/${written.headers.get('etag')}`

    const read = await alice(`/notes/${id}`, { headers: { 'If-None-Match': weak } })
    expect([read.status, await read.text()]).toEqual([304, ''])
    const stale = await alice(`/notes/${id}/close`, { method: 'POST', headers: { 'If-Match': 'W/"9"' } })
    await expectProblem(stale, 412, 'PRECONDITION_FAILED')
    const closed = await alice(`/notes/${id}/close`, { method: 'POST', headers: { 'If-Match': weak } })
    expect(await expectJson(closed)).toMatchObject({ status: 'closed' })

    for (let count = 0; count < 12; count++) await alice('/notes', { json: { text: 'Cup', pages: 1 } })
    const list = await alice('/notes', { headers: gzip })
    expect(list.headers.get('content-encoding')).toBe('gzip')
    const { items } = JSON.parse(await unzipped(list)) as { items: Json[] }
    expect(items).toHaveLength(13)
  })
})
