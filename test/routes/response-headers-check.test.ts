import { z } from '@hono/zod-openapi'
import { setCookie } from 'hono/cookie'
import { expect, test } from 'vitest'
import { type Handler, handle, json, type RouteDefinition } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const thing = {
  method: 'post',
  path: '/thing',
  operationId: 'makeThing',
  summary: 'Make a thing',
  security: 'public',
  responses: {
    200: json('The thing', z.object({ name: z.string() })),
    201: json('A new thing', z.object({ name: z.string() })),
    204: { description: 'Nothing' },
    303: { description: 'It is elsewhere' },
  },
} as const satisfies RouteDefinition
const cup = { name: 'cup' }

test('headers go with c.json in every way that Hono knows', async () => {
  const byArgument = await ask((c) => c.json(cup, 201, { Location: '/things/1', 'X-A': 'a' }))
  expect(byArgument.headers.get('location')).toBe('/things/1')
  expect(byArgument.headers.get('x-a')).toBe('a')

  const byInit = await ask((c) => c.json(cup, { status: 201, headers: { 'X-A': 'a' } }))
  expect(byInit.status).toBe(201)
  expect(byInit.headers.get('x-a')).toBe('a')
})

test('what c.header() set before is on the answer, and the runtime’s own headers too', async () => {
  const response = await ask((c) => {
    c.header('X-A', 'a')
    c.header('Link', '</1>; rel="next"')
    c.header('Link', '</2>; rel="last"', { append: true })
    return c.json(cup, 200, { 'X-B': 'b' })
  })
  expect(Object.fromEntries(response.headers)).toMatchObject({
    ...{ 'x-a': 'a', 'x-b': 'b', link: '</1>; rel="next", </2>; rel="last"' },
    ...{ 'content-type': 'application/json', 'x-content-type-options': 'nosniff' },
  })
  expect(response.headers.get('x-request-id')).toBeTruthy()
  expect(await expectJson(response)).toEqual(cup)
})

test('several cookies stay several', async () => {
  const response = await ask((c) => {
    setCookie(c, 'session', 'one', { httpOnly: true })
    setCookie(c, 'theme', 'dark')
    return c.json(cup, 200)
  })
  expect(response.headers.getSetCookie()).toEqual(['session=one; Path=/; HttpOnly', 'theme=dark; Path=/'])
})

test('the length is that of the stripped body', async () => {
  const reply = { ...cup, note: 'é'.repeat(100) }
  const handlers: Handler<typeof thing>[] = [
    (c) => c.json(reply, 200),
    (c) =>
      c.body(JSON.stringify(reply), 200, {
        'Content-Type': 'application/json',
        'Content-Length': '222',
      }) as never,
  ]
  for (const handler of handlers) {
    const response = await ask(handler, 'strip')
    const length = response.headers.get('content-length')
    expect([null, '14']).toContain(length)
    expect(await response.text()).toBe('{"name":"cup"}')
  }
})

test('an answer without a body keeps its headers', async () => {
  const nothing = await ask((c) => c.body(null, 204, { 'X-A': 'a' }))
  expect(nothing.headers.get('x-a')).toBe('a')
  const elsewhere = await ask((c) => c.redirect('/things/1', 303))
  expect(elsewhere.status).toBe(303)
  expect(elsewhere.headers.get('location')).toBe('/things/1')
})

test('a reply that was thrown away leaves nothing on the problem that follows', async () => {
  const response = await ask((c) => {
    c.json(cup, 201, { Location: '/things/1', ETag: '"1"' })
    throw new Error('the cup broke')
  })
  await expectProblem(response, 500, 'INTERNAL')
  expect(response.headers.get('location')).toBeNull()
  expect(response.headers.get('etag')).toBeNull()
})

test('of two replies the one that is returned is the answer', async () => {
  const response = await ask((c) => {
    const first = c.json({ name: 'first' }, 200)
    c.json({ name: 'second' }, 201)
    return first
  })
  expect(await expectJson(response)).toEqual({ name: 'first' })
})

async function ask(handler: Handler<typeof thing>, mode: 'strip' | 'fail' = 'fail'): Promise<Response> {
  const features = [featureOf(handle(thing, handler))]
  const { api } = await testService({ databaseUrl: noDatabase, features, environment: { REPLY_CHECK: mode } })
  return api('/thing', { method: 'POST' })
}
