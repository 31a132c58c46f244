import { Hono, type MiddlewareHandler } from 'hono'
import { expect, test } from 'vitest'
import type { BaseEnv } from '#src/runtime/http/env.ts'
import { parseTemplate } from '#src/runtime/http/template.ts'
import { refuseUndeclared } from '#src/runtime/routes/mount.ts'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { featureOf } from '#test/support/feature.ts'

const route = () => handlePlain({ method: 'post', path: '/things', security: 'public' }, () => new Response())

const pastFeatures: [name: string, add: (app: Hono<BaseEnv>) => unknown, place: string][] = [
  ['a route', (app) => app.get('/admin', (c) => c.text('')), 'GET /admin'],
  ['a route of every method', (app) => app.all('/admin', (c) => c.text('')), 'ALL /admin'],
  [
    'a route of an app inside',
    (app) =>
      app.route(
        '/in',
        new Hono<BaseEnv>().put('/x', (c) => c.text('')),
      ),
    'PUT /in/x',
  ],
  ['another method of a known path', (app) => app.delete('/things', (c) => c.text('')), 'DELETE /things'],
  ['a second handler of a known place', (app) => app.post('/things', (c) => c.text('')), 'POST /things'],
]

test.each(pastFeatures)('%s that was added past the features does not start', (_name, add, place) => {
  const app = new Hono<BaseEnv>()
  app.use(async (_c, next) => next())
  app.post('/things', (c) => c.text(''))
  const template = parseTemplate('/things', 'contract')
  const mounted = [
    { feature: featureOf(), operation: route(), middleware: [], path: '/things', method: 'POST', template },
  ]
  expect(() => refuseUndeclared(app, mounted, [])).not.toThrow()
  add(app)
  expect(() => refuseUndeclared(app, mounted, [])).toThrow(
    `${place} does not declare its security: list it in a feature`,
  )
})

test('a middleware before the runtime’s own does not start', () => {
  const outermost: MiddlewareHandler<BaseEnv>[] = [async (_c, next) => next(), async (_c, next) => next()]
  const right = new Hono<BaseEnv>().use(...outermost).use('/admin/*', async (_c, next) => next())
  expect(() => refuseUndeclared(right, [], outermost)).not.toThrow()
  const wrong = new Hono<BaseEnv>().use('/admin/*', async (_c, next) => next()).use(...outermost)
  expect(() => refuseUndeclared(wrong, [], outermost)).toThrow(
    new Error("ALL /admin/* is added before the runtime's own middleware: move its line below it."),
  )
})
