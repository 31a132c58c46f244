import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { createSigner } from '#src/runtime/auth/sign.ts'
import { at, defineFeature } from '#src/runtime/openapi/feature.ts'
import { defineRoute, handle, json, jsonBody } from '#src/runtime/openapi/route.ts'
import { client } from '#test/support/client.ts'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { testService } from '#test/support/service.ts'
import { as, testAuth } from '#test/support/tokens.ts'

// How far a key reaches: a caller's requests, whatever the route; no other caller's.

const Note = z.strictObject({ text: z.string() })
const made = { 200: json('The note', z.object({ number: z.int(), place: z.string() })) }
let calls = 0

const route = (method: 'post' | 'put' | 'patch' | 'delete', path: string) =>
  handle(
    defineRoute({
      method,
      path,
      operationId: `${method}${path.replaceAll(/\W/g, '')}`,
      summary: 'Write a note',
      security: 'authenticated',
      idempotent: true,
      request: {
        ...(path.includes('{id}') && { params: z.object({ id: z.string() }) }),
        query: z.strictObject({ draft: z.string().optional() }),
        ...(method !== 'delete' && { body: jsonBody(Note) }),
      },
      responses: made,
    }),
    (c) => c.json({ number: ++calls, place: `${c.req.method} ${c.req.path}` }, 200),
  )

const notes = defineFeature({
  name: 'notes',
  description: 'Notes.',
  routes: () => [
    route('post', '/notes'),
    route('put', '/notes/{id}'),
    route('patch', '/notes/{id}'),
    route('delete', '/notes/{id}'),
  ],
})
const databaseUrl = await makeDatabase()
const features = [notes]
const { app, as: caller } = await testService({ databaseUrl, features })
const text = { text: 'Buy tea' }
const key = (name: string) => ({ 'Idempotency-Key': name })

test('every method that takes keys honours them, with a body or without', async () => {
  const api = await caller('methods')
  for (const [method, path] of [
    ['POST', '/notes'],
    ['PUT', '/notes/1'],
    ['PATCH', '/notes/1'],
    ['DELETE', '/notes/1'],
  ] as const) {
    const request = { method, headers: key(method), ...(method !== 'DELETE' && { json: text }) }
    const first = await expectJson(await api(path, request))
    const again = await api(path, request)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(await expectJson(again)).toEqual(first)
  }
})

test.each([
  ['path', 'PUT', '/notes/1', 'PUT', '/notes/2'],
  ['method', 'PUT', '/notes/1', 'PATCH', '/notes/1'],
  ['route', 'POST', '/notes', 'PUT', '/notes/1'],
  ['query', 'POST', '/notes', 'POST', '/notes?draft=yes'],
  ['value in the query', 'POST', '/notes?draft=yes', 'POST', '/notes?draft=no'],
])('the key of a request to another %s is a 422', async (what, method, path, otherMethod, otherPath) => {
  const api = await caller(what)
  await expectJson(await api(path, { method, json: text, headers: key('k') }))
  const before = calls
  const other = await api(otherPath, { method: otherMethod, json: text, headers: key('k') })
  await expectProblem(other, 422, 'IDEMPOTENCY_KEY_REUSED')
  expect(calls).toBe(before)
})

test.each([
  ['another subject', 'bob'],
  ['a subject that begins alike', 'alice\nk'],
  ['the subject in capitals', 'ALICE'],
])('%s has keys of its own, and gets no answer of the first', async (_what, subject) => {
  const [alice, other] = [await caller('alice'), await caller(subject)]
  const hers = await expectJson(await alice('/notes', { json: text, headers: key('k') }))
  const theirs = await other('/notes', { json: text, headers: key('k') })
  expect(theirs.headers.get('idempotency-replayed')).toBeNull()
  expect((await expectJson(theirs)).number).not.toBe(hers.number)
  expect(await expectJson(await alice('/notes', { json: text, headers: key('k') }))).toEqual(hers)
})

test('a subject of another issuer is another caller', async () => {
  const issuer = 'https://elsewhere.example'
  const elsewhere = await testService({ databaseUrl, features, environment: { AUTH_ISSUER: issuer } })
  const token = await createSigner({ ...testAuth, issuer, ttl: 60 })({ subject: 'carol' })
  const hers = client(app, await as('carol'))
  const theirs = client(elsewhere.app, { Authorization: `Bearer ${token}` })
  const first = await expectJson(await hers('/notes', { json: text, headers: key('k') }))
  const other = await theirs('/notes', { json: { text: 'Another' }, headers: key('k') })
  expect(other.headers.get('idempotency-replayed')).toBeNull()
  expect((await expectJson(other)).number).not.toBe(first.number)
})

test('a key holds in every instance of the service: what one has done, another replays', async () => {
  const second = await testService({ databaseUrl, features })
  const [here, there] = [await caller('dave'), await second.as('dave')]
  const first = await expectJson(await here('/notes', { json: text, headers: key('k') }))
  const again = await there('/notes', { json: text, headers: key('k') })
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(await expectJson(again)).toEqual(first)
})

test('a route below a prefix is another place than the same route without', async () => {
  const v2 = await testService({ databaseUrl, features: [at('/v2', notes)] })
  const [here, there] = [await caller('erin'), await v2.as('erin')]
  await expectJson(await here('/notes', { json: text, headers: key('k') }))
  await expectProblem(
    await there('/v2/notes', { json: text, headers: key('k') }),
    422,
    'IDEMPOTENCY_KEY_REUSED',
  )
})
