import { expect, test } from 'vitest'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { notes } from '#test/support/notes.ts'
import { testServer } from '#test/support/server.ts'

const hook = handlePlain({ method: 'put', path: '/hooks/:name', security: 'public' }, (c) => c.text('ok'))
const { api, dial } = await testServer({ databaseUrl: noDatabase, features: [notes, featureOf(hook)] })

const taken = {
  '/ping': ['GET', 'HEAD', 'OPTIONS'],
  '/notes': ['GET', 'HEAD', 'OPTIONS', 'POST'],
  '/notes/rubbish': ['GET', 'HEAD', 'OPTIONS'],
  '/notes/rubbish/close': ['OPTIONS', 'POST'],
  '/hooks/one': ['OPTIONS', 'PUT'],
}
const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'PURGE',
  'M-SEARCH',
]
const refused = Object.entries(taken).flatMap(([path, allowed]) =>
  methods.filter((method) => !allowed.includes(method)).map((method) => [method, path, allowed] as const),
)

function allowedBy(headers: Headers) {
  return headers.get('allow')?.split(', ').sort()
}

test.each(refused)('%s %s gets 405, with what the path takes', async (method, path, allowed) => {
  const connection = dial().send(`${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`)
  const { status, headers, body } = await connection.answer(method === 'HEAD')
  expect([status, allowedBy(headers)]).toEqual([405, allowed])
  expect(headers.get('content-type')).toBe('application/problem+json')
  if (method === 'HEAD') return
  expect(JSON.parse(body)).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED', instance: path })
})

test.each(Object.entries(taken))('OPTIONS %s says what the path takes', async (path, allowed) => {
  const response = await api(path, { method: 'OPTIONS' })
  expect([response.status, allowedBy(response.headers), await response.text()]).toEqual([204, allowed, ''])
  expect(response.headers.get('content-type')).toBeNull()
  expect(response.headers.get('content-length')).toBeNull()
})

test.each(['GET', 'HEAD', 'POST', 'OPTIONS', 'DELETE'])('%s on a path of nobody gets 404', async (method) => {
  for (const path of [
    '/',
    '/nowhere',
    '/notes/',
    '/ping/',
    '/PING',
    '/%2fping',
    '/notes/a/b',
    '/hooks',
    '/%70ong',
  ]) {
    const response = await api(path, { method })
    expect([path, response.status, response.headers.get('allow')]).toEqual([path, 404, null])
    if (method !== 'HEAD') await expectProblem(response, 404, 'NOT_FOUND')
  }
})

test('HEAD is taken wherever GET is', async () => {
  const response = await api('/ping', { method: 'HEAD' })
  expect([response.status, await response.text()]).toEqual([200, ''])
})

test('a method said to be another in a header stays what it is', async () => {
  const headers = { 'X-HTTP-Method-Override': 'DELETE' }
  expect((await api('/ping', { headers })).status).toBe(200)
})
