import { expect, expectTypeOf, test } from 'vitest'
import { z } from '#runtime'
import type { AnyCaller } from '#src/runtime/auth/api-key.ts'
import { at, defineFeature } from '#src/runtime/feature.ts'
import { statusProblems } from '#src/runtime/http/status-problems.ts'
import { Problem, type ProblemDefinition } from '#src/runtime/kernel/problem.ts'
import type { CallerMiddleware } from '#src/runtime/routes/caller-middleware.ts'
import { defineRoute, handle, handlePlain, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const Done = json('Done', z.object({ done: z.boolean() }))
const order: string[] = []

/** Notes that it runs, for whom, and that the response comes back. */
function noting(name: string): CallerMiddleware {
  return {
    async run(c, next) {
      expectTypeOf(c.var.caller).toEqualTypeOf<AnyCaller | undefined>()
      order.push(`${name} for ${c.var.caller?.subject ?? 'nobody'}`)
      await next()
      order.push(`${name} after ${c.res.status}`)
    },
  }
}

const route = { method: 'post', summary: 'Try', responses: { 200: Done } } as const
const checked = defineRoute({
  ...{ ...route, path: '/checked', operationId: 'checked', security: ['a:b'] },
  request: { query: z.strictObject({ word: z.string() }) },
  async middleware(_c, next) {
    order.push('route')
    await next()
  },
})
const open = defineRoute({ ...route, path: '/open', operationId: 'open', security: 'public' })
const inner = defineFeature({
  name: 'inner',
  description: 'Inner.',
  middleware: [() => noting('feature'), () => noting('second')],
  routes: () => [
    handle(checked, (c) => c.json({ done: true }, 200)),
    handle(open, (c) => c.json({ done: true }, 200)),
    handlePlain({ method: 'get', path: '/plain', security: 'optional' }, (c) => c.text('plain')),
  ],
})
const other = defineFeature({
  name: 'other',
  description: 'Other.',
  routes: () => [handlePlain({ method: 'get', path: '/other', security: 'public' }, (c) => c.text('other'))],
})

const service = await testService({
  ...{ databaseUrl: noDatabase, features: [at('/v2', inner), other] },
  middleware: [() => noting('service')],
})
const alice = await service.as('alice', ['a:b'])

/** What ran for a request. */
async function ran(ask: () => Promise<Response>): Promise<string[]> {
  order.length = 0
  await (await ask()).text()
  return [...order]
}

test('the service’s runs first, then the feature’s, then the checks of the request, then the route’s own', async () => {
  expect(await ran(() => alice('/v2/checked?word=a', { method: 'POST' }))).toEqual([
    ...['service for alice', 'feature for alice', 'second for alice', 'route'],
    ...['second after 200', 'feature after 200', 'service after 200'],
  ])
  const seen = await ran(() => alice('/v2/checked', { method: 'POST' }))
  expect(seen.slice(0, 3)).toEqual(['service for alice', 'feature for alice', 'second for alice'])
  expect(seen).not.toContain('route')
})

test('it runs for nobody on a route for everybody, on a plain route too', async () => {
  expect((await ran(() => service.api('/v2/open', { method: 'POST' })))[0]).toBe('service for nobody')
  expect((await ran(() => service.api('/v2/plain')))[1]).toBe('feature for nobody')
  expect((await ran(() => alice('/v2/plain')))[1]).toBe('feature for alice')
})

test('it does not run where the caller is refused, nor for another feature, nor for the runtime', async () => {
  const asOther = await service.as('bob', ['other'])
  expect(await ran(() => service.api('/v2/checked?word=a', { method: 'POST' }))).toEqual([])
  expect(await ran(() => asOther('/v2/checked?word=a', { method: 'POST' }))).toEqual([])
  expect(await ran(() => service.api('/v2/nowhere'))).toEqual([])
  expect(await ran(() => service.api('/other'))).toEqual(['service for nobody', 'service after 200'])
  expect(await ran(() => service.api('/ping'))).toEqual([])
})

/** A service whose middleware does this. */
async function serviceWith(run: CallerMiddleware['run'], problems: readonly ProblemDefinition[] = []) {
  return testService({
    ...{ databaseUrl: noDatabase, features: [inner, other], environment: { REPLY_CHECK: 'fail' } },
    middleware: [() => ({ problems, run })],
  })
}

test('what it throws is a problem of the route, which the contract shows', async () => {
  const refuse = () => {
    throw new Problem(statusProblems.LOCKED, { headers: { 'Retry-After': '7' } })
  }
  const { api } = await serviceWith(refuse, [statusProblems.LOCKED])
  for (const ask of [() => api('/open', { method: 'POST' }), () => api('/other')]) {
    const response = await ask()
    expect(response.headers.get('retry-after')).toBe('7')
    await expectProblem(response, 423, 'LOCKED')
  }
  const { paths } = await expectJson<{ paths: Record<string, { post: { responses: object } }> }>(
    await api('/openapi.json'),
  )
  expect(paths['/open']?.post.responses).toHaveProperty('423')

  const unlisted = await serviceWith(refuse)
  await expectProblem(await unlisted.api('/open', { method: 'POST' }), 500, 'INTERNAL')
  expect(JSON.stringify(unlisted.lines)).toContain(
    'open responded with 423 and the problem LOCKED, which its route does not list: ' +
      'add it to the `problems` of the route, or of the middleware that throws it',
  )
})

test('a problem that no feature defines stops the start', async () => {
  const unknown = { code: 'UNKNOWN_PROBLEM', status: 409, title: 'It is unknown' }
  await expect(serviceWith((_c, next) => next(), [unknown])).rejects.toThrow(
    'lists the problem UNKNOWN_PROBLEM, which no feature defines',
  )
})

test('its c.notFound() is a 404, not a wrong method; a wrong method stays one', async () => {
  const { api } = await serviceWith(async (c, _next) => c.notFound())
  for (const [path, method] of [
    ['/open', 'POST'],
    ['/plain', 'GET'],
    ['/plain', 'HEAD'],
  ] as const) {
    const response = await api(path, { method })
    expect(response.status).toBe(404)
    expect(response.headers.get('allow')).toBeNull()
    if (method !== 'HEAD')
      expect(await expectProblem(response, 404, 'NOT_FOUND')).not.toHaveProperty('detail')
  }
  await expectProblem(await api('/open'), 405, 'METHOD_NOT_ALLOWED')
})

test('it may redirect, and change the response; a body of its own is a 500 that says why', async () => {
  const moved = await (await serviceWith(async (c, _next) => c.redirect('/elsewhere'))).api('/other')
  expect([moved.status, moved.headers.get('location')]).toEqual([302, '/elsewhere'])
  const changing = await serviceWith(async (c, next) => {
    await next()
    c.res.headers.set('X-Seen', 'yes')
  })
  const changed = await changing.api('/open', { method: 'POST' })
  expect(changed.headers.get('x-seen')).toBe('yes')
  await expectJson(changed)

  const { api, lines } = await serviceWith(async (c, _next) => c.text('secret'))
  const response = await api('/other')
  expect(await response.clone().text()).not.toContain('secret')
  await expectProblem(response, 500, 'INTERNAL')
  expect(JSON.stringify(lines)).toContain('To serve content, define a route by handlePlain().')
})

test.each([
  ['a header that HTTP cannot carry', 'X-Seen', 'a\u0007'],
  ['a length that is not the body’s', 'Content-Length', '3'],
])('%s, put on a response of c.json, is a 500', async (_what, name, value) => {
  const { api, lines } = await serviceWith(async (c, next) => {
    await next()
    c.res.headers.set(name, value)
  })
  await expectProblem(await api('/open', { method: 'POST' }), 500, 'INTERNAL')
  expect(lines.at(-1)).toMatchObject({ message: 'POST /open 500' })
})
