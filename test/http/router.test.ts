import fc from 'fast-check'
import { Hono } from 'hono'
import { TrieRouter } from 'hono/router/trie-router'
import { describe, expect, test } from 'vitest'
import { routerByMethod } from '#src/runtime/http/router.ts'

const fixed = ['tasks', 'tick', 'a.b']
const pathOf = (...segments: string[]) =>
  fc.array(fc.constantFrom(...segments), { maxLength: 3 }).map((some) => `/${some.join('/')}`)
const method = fc.constantFrom('GET', 'POST', 'ALL')
const routes = fc.uniqueArray(fc.tuple(method, pathOf(...fixed, ':id', ':name')), {
  selector: String,
  maxLength: 8,
})
const requests = fc.array(fc.tuple(fc.constantFrom('GET', 'HEAD', 'POST', 'PATCH'), pathOf(...fixed, 'x')), {
  minLength: 1,
})

/** An app whose answers name the handlers that a request has passed, with what they found in its path. */
function appOf(app: Hono, added: readonly (readonly [method: string, path: string])[]): Hono {
  for (const [method, path] of added) {
    const mark = `${method} ${path}`
    app.on(method, path, async (c, next) => {
      await next()
      const found = Object.entries(c.req.param()).sort()
      c.header('Passed', `${mark} ${found.join(' ')}`, { append: true })
    })
  }
  return app
}

describe('a router for each method', () => {
  test('finds what Hono’s thorough one would, in its order', async () => {
    await fc.assert(
      fc.asyncProperty(routes, requests, async (added, asked) => {
        const own = appOf(new Hono({ router: routerByMethod() }), added)
        const thorough = appOf(new Hono({ router: new TrieRouter() }), added)
        for (const [method, path] of asked) {
          const [answer, expected] = await Promise.all(
            [own, thorough].map((app) => app.request(path, { method })),
          )
          expect(answer?.headers.get('passed')).toBe(expected?.headers.get('passed'))
        }
      }),
    )
  })

  test('keeps the fast one where another method has a fixed path beside a parameter', () => {
    const router = routerByMethod<string>()
    router.add('ALL', '*', 'around')
    router.add('GET', '/tasks/:id', 'show')
    router.add('POST', '/tasks/tick', 'tick')
    router.add('POST', '/tasks/:name', 'run')

    // the fast router gives the handlers and, apart, the values of their parameters
    expect(router.match('GET', '/tasks/1')).toEqual([expect.anything(), expect.arrayContaining(['1'])])
    expect(router.match('POST', '/tasks/tick')).toEqual([
      [
        ['around', {}],
        ['tick', {}],
        ['run', { name: 'tick' }],
      ],
    ])
  })

  test('takes no route once it has answered', async () => {
    const app = appOf(new Hono({ router: routerByMethod() }), [['GET', '/tasks']])
    await app.request('/tasks')
    expect(() => app.get('/late', (c) => c.text('late'))).toThrow('matcher is already built')
  })
})
