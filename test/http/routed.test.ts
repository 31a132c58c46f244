import { Hono, type MiddlewareHandler } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { etag } from 'hono/etag'
import { poweredBy } from 'hono/powered-by'
import { expect, test } from 'vitest'
import { deadline } from '#src/runtime/http/deadline.ts'
import type { BaseEnv } from '#src/runtime/http/env.ts'
import { notFound } from '#src/runtime/http/not-found.ts'
import { problemDetails } from '#src/runtime/http/problem-format.ts'
import { problemResponder } from '#src/runtime/http/problem-responder.ts'
import { requestContext } from '#src/runtime/http/request-context.ts'
import { Problem, problems } from '#src/runtime/kernel/problem.ts'
import { createLogger } from '#src/runtime/log/logger.ts'
import { mount } from '#src/runtime/routes/mount.ts'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { client } from '#test/support/client.ts'
import { expectProblem } from '#test/support/expect.ts'
import { featureOf } from '#test/support/feature.ts'

const admin = handlePlain({ method: 'get', path: '/admin/known', security: 'authenticated' }, (c) =>
  c.text('known'),
)
const open = handlePlain({ method: 'get', path: '/open', security: 'public' }, (c) => c.text('open'))

/** A service as app.ts makes it, with a middleware of a fork's. */
function serviceWith(path: string, middleware: MiddlewareHandler<BaseEnv>) {
  const lines: Record<string, unknown>[] = []
  const log = createLogger({
    level: 'debug',
    service: 'test',
    project: undefined,
    output: { write: (line) => lines.push(JSON.parse(line)) },
  })
  const app = new Hono<BaseEnv>()
  const response = problemResponder(problemDetails, log)
  app.onError(response)
  const stopping = new AbortController().signal
  const context = requestContext({ log, reporter: {}, respond: response, stopping, trustedProxies: 1 })
  app.use(context, deadline({ timeoutSeconds: 60 }))
  app.use(path, middleware)
  const security = { verify: () => Promise.reject(new Error('no token')), cookie: undefined, origins: [] }
  const options = {
    context: {} as never,
    security,
    replyCheck: 'fail',
    format: problemDetails,
    auth: {},
  } as const
  const { methods } = mount(app, [featureOf(admin, open)], options)
  app.notFound(notFound(methods, response))
  return { app, api: client(app), lines }
}

const answering: [name: string, middleware: MiddlewareHandler<BaseEnv>][] = [
  ['text', async (c, _next) => c.text('secret')],
  ['a 201', async (c, _next) => c.json({ secret: 1 }, 201)],
  ['a body with a redirect’s status', async (c, _next) => c.body('secret', 302)],
  ['a file', async (_c, _next) => new Response('secret', { headers: { 'Content-Type': 'text/plain' } })],
  ['a stream', async (_c, _next) => new Response(new Blob(['secret']).stream())],
  ['nothing', async (c, _next) => c.body(null, 204)],
  ['no response at all', async () => {}],
]

test.each(answering)(
  'a middleware that answers by itself with %s is a 500 that says why',
  async (_name, middleware) => {
    const { api, lines } = serviceWith('/admin/*', middleware)
    for (const path of ['/admin/known', '/admin/unknown']) {
      const response = await api(path)
      expect(await response.clone().text()).not.toContain('secret')
      await expectProblem(response, 500, 'INTERNAL')
      const logged = lines
        .filter(({ severity }) => severity === 'ERROR')
        .map((line) => String(line.stack_trace))
      expect(logged.join('\n')).toContain(`A middleware responded to GET ${path} with`)
      expect(logged.join('\n')).toContain('To serve content, define a route by handlePlain().')
    }
    expect(await (await api('/open')).text()).toBe('open')
  },
)

test('so is an app that was mounted past the features, and one that answers OPTIONS with a body', async () => {
  const { app, api } = serviceWith('/other', async (_c, next) => next())
  app.mount('/legacy', () => new Response('secret'))
  await expectProblem(await api('/legacy/x'), 500, 'INTERNAL')
  const { api: options } = serviceWith('/admin/*', async (c, _next) => c.text('secret'))
  await expectProblem(await options('/admin/known', { method: 'OPTIONS' }), 500, 'INTERNAL')
})

test('a middleware may throw, redirect, answer a preflight, and change what a route answers', async () => {
  const throws = serviceWith('/admin/*', () => {
    throw new Problem(problems.NOT_READY)
  })
  await expectProblem(await throws.api('/admin/known'), 503, 'NOT_READY')
  const locked = serviceWith('/admin/*', basicAuth({ username: 'a', password: 'b' }))
  expect((await locked.api('/admin/known')).status).toBeGreaterThanOrEqual(400)
  const moved = await serviceWith('/admin/*', async (c, _next) => c.redirect('/open')).api('/admin/known')
  expect([moved.status, moved.headers.get('location')]).toEqual([302, '/open'])
  const preflight = serviceWith('/admin/*', async (c, _next) => c.body(null, 204))
  expect((await preflight.api('/admin/known', { method: 'OPTIONS' })).status).toBe(204)
  const tagged = serviceWith('*', etag())
  const tag = (await tagged.api('/open')).headers.get('etag') ?? ''
  expect((await tagged.api('/open', { headers: { 'If-None-Match': tag } })).status).toBe(304)
  expect((await serviceWith('*', poweredBy()).api('/open')).headers.get('x-powered-by')).toBe('Hono')
})

test('c.notFound() of a middleware is a 404, not a wrong method', async () => {
  const { api } = serviceWith('/admin/*', async (c, _next) => c.notFound())
  for (const path of ['/admin/known', '/admin/unknown'])
    await expectProblem(await api(path), 404, 'NOT_FOUND')
})

test('a middleware cannot open what a route keeps shut', async () => {
  const { api } = serviceWith('/admin/*', async (_c, next) => next())
  await expectProblem(await api('/admin/known'), 401, 'TOKEN_MISSING')
  await expectProblem(await api('/admin/unknown'), 404, 'NOT_FOUND')
  await expectProblem(await api('/admin/known', { method: 'PUT' }), 405, 'METHOD_NOT_ALLOWED')
})
