import { expect, test } from 'vitest'
import { defineFeature, defineRoute, handle, json, jsonBody, z } from '#runtime'
import { expectJson, expectProblem, makeDatabase, onServer, testService } from '#test/kit'
import { createCallers, rateLimit } from './routes/rate-limit.ts'

const hour = 3600
const Word = z.strictObject({ word: z.string() })
const trial = { summary: 'Try', security: ['words:write'], responses: { 200: json('A word', Word) } } as const
const sayWord = defineRoute({ ...trial, method: 'get', path: '/word', operationId: 'sayWord' })
const keepWord = defineRoute({
  ...{ ...trial, method: 'post', path: '/word', operationId: 'keepWord', idempotent: true },
  request: { body: jsonBody(Word) },
})
const words = defineFeature({
  name: 'words',
  description: 'Words, three an hour.',
  middleware: [({ database }) => rateLimit(database, 3, hour)],
  routes: () => [
    handle(sayWord, (c) => c.json({ word: 'tea' }, 200)),
    handle(keepWord, (c) => c.json(c.req.valid('json'), 200)),
  ],
})

const databaseUrl = await makeDatabase()
await onServer(databaseUrl, createCallers)
// one connection: who limited inside the transaction of the route would wait for itself
const service = await testService({ databaseUrl, features: [words], environment: { DATABASE_POOL: '1' } })
const as = (subject: string, scopes = ['words:write']) => service.as(subject, scopes)
const passHours = (hours: number) =>
  onServer(databaseUrl, `update callers set free_at = free_at - interval '${hours} hours'`)

test('each caller has a rate of its own, and a place again after a while', async () => {
  const alice = await as('alice')
  for (const left of [2, 1, 0]) {
    const response = await alice('/word')
    expect([response.status, response.headers.get('ratelimit')]).toEqual([200, `"caller";r=${left}`])
  }
  const refused = await alice('/word')
  expect(Object.fromEntries(refused.headers)).toMatchObject({
    'ratelimit-policy': '"caller";q=3;w=10800',
    ...{ ratelimit: '"caller";r=0', 'retry-after': '3600', 'cache-control': 'no-store' },
  })
  await expectProblem(refused, 429, 'TOO_MANY_REQUESTS')
  await expectJson(await (await as('bob'))('/word'))

  await passHours(1)
  await expectJson(await alice('/word'))
  await expectProblem(await alice('/word'), 429, 'TOO_MANY_REQUESTS')
})

test('who is refused has no body read, no transaction and no stored response', async () => {
  const carol = await as('carol')
  const keep = (key: string, word: unknown) =>
    carol('/word', { json: { word }, headers: { 'Idempotency-Key': key } })
  for (const key of ['one', 'two', 'two']) await expectJson(await keep(key, 'tea'))
  await expectProblem(await keep('three', 'tea'), 429, 'TOO_MANY_REQUESTS')
  await expectProblem(await keep('three', 7), 429, 'TOO_MANY_REQUESTS')
  let isRead = false
  const body = new ReadableStream(
    {
      pull() {
        isRead = true
      },
    },
    { highWaterMark: 0 },
  )
  const headers = { 'Content-Type': 'application/json' }
  await expectProblem(await carol('/word', { method: 'POST', body, headers }), 429, 'TOO_MANY_REQUESTS')
  expect(isRead).toBe(false)
  const { rows } = await onServer(databaseUrl, 'select key from runtime.idempotency_keys order by key')
  expect(rows).toEqual([{ key: 'one' }, { key: 'two' }])
})

test('who may not call is not counted', async () => {
  await expectProblem(await service.api('/word'), 401, 'TOKEN_MISSING')
  const dave = await as('dave', ['other'])
  await expectProblem(await dave('/word'), 403, 'SCOPE_MISSING')
  const { rows } = await onServer(databaseUrl, `select from callers where subject in ('dave', 'nobody')`)
  expect(rows).toEqual([])
})

test('the contract shows the refusal on each route, and on no other', async () => {
  const { paths } = await expectJson<{ paths: Record<string, Record<string, { responses: object }>> }>(
    await service.api('/openapi.json'),
  )
  expect(paths['/word']?.get?.responses).toHaveProperty('429')
  expect(paths['/word']?.post?.responses).toHaveProperty('429')
  expect(paths['/version']?.get?.responses).not.toHaveProperty('429')
})
