import { expect, test } from 'vitest'
import { banner } from '#dev/caller/banner.ts'
import { exampleRequest } from '#dev/caller/contract.ts'
import { developmentEnvironment } from '#dev/machine/settings.ts'
import { pasteCurl } from '#test/support/curl.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { startNotes } from '#test/support/process.ts'

test('the line that `npm run dev` prints is a request of the contract, and works', async () => {
  const DATABASE_URL = await makeDatabase()
  const environment = developmentEnvironment({ variables: { DATABASE_URL }, file: 'none' })
  const { url } = await startNotes({ ...environment, PORT: '0' })
  const printed = await banner({ ...environment, PORT: new URL(url).port }, [['Warehouse', 'http://there']])
  expect(printed).toMatch(/^ {2}Warehouse {2}http:\/\/there$/m)
  expect(await pasteCurl(printed)).toMatch(/^HTTP\/1\.1 201 Created/)
  expect((await onServer(DATABASE_URL, 'select text from test_notes')).rows).toEqual([{ text: 'Tea' }])
})

const post = (example?: unknown) => ({
  post: { requestBody: { content: { 'application/json': { example } } } },
})

test.each([
  ['of several, the first', { '/a': post({ a: 1 }), '/b': post({ b: 1 }) }, { path: '/a', body: { a: 1 } }],
  ['of those with an example', { '/a': post(), '/b': post(0) }, { path: '/b', body: 0 }],
  ['of those without parameters', { '/a/{id}': post({}), '/b': post({}) }, { path: '/b', body: {} }],
  ['where there is none, who is calling', { '/a': { get: {} } }, { path: '/auth/version' }],
])('the request to try: %s', (_which, paths, request) => {
  expect(exampleRequest({ paths })).toEqual(request)
})
