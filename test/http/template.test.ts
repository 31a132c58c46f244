import fc from 'fast-check'
import { Hono } from 'hono'
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { TrieRouter } from 'hono/router/trie-router'
import { expect, test } from 'vitest'
import { methodsOf } from '#src/runtime/http/methods.ts'
import { bySpecificity, mixedReader, parseTemplate } from '#src/runtime/http/template.ts'

const routers = { RegExpRouter, TrieRouter }
const contract = (path: string) => parseTemplate(path, 'contract')

/** What a template finds in a path, or nothing. */
async function read(Router: typeof RegExpRouter | typeof TrieRouter, template: string, path: string) {
  const parsed = contract(template)
  const app = new Hono({ router: new Router() as never })
  app.use(async (_c, next) => next())
  app.get(parsed.hono, (c) => c.json((mixedReader(parsed) ?? (() => c.req.param()))(c)))
  const response = await app.request(path)
  return response.status === 404 ? undefined : response.json()
}

const found: [template: string, path: string, values: object | undefined][] = [
  ['/reports/{id}.csv', '/reports/5.csv', { id: '5' }],
  ['/reports/{id}.csv', '/reports/a.b.csv', { id: 'a.b' }],
  ['/reports/{id}.csv', '/reports/5.pdf', undefined],
  ['/reports/{id}.csv', '/reports/5xcsv', undefined],
  ['/reports/{id}.csv', '/reports/.csv', undefined],
  ['/reports/{id}.csv', '/reports/a%2Fb%20%E6%9D%B1.csv', { id: 'a/b 東' }],
  ['/reports/{id}.csv/rows', '/reports/5.csv/rows', { id: '5' }],
  ['/things/{id}:archive', '/things/5:archive', { id: '5' }],
  ['/things/{id}:archive', '/things/a%3Ab:archive', { id: 'a:b' }],
  ['/things/{id}:archive', '/things/5%3Aarchive', undefined],
  ['/things/{id}:archive', '/things/5', undefined],
  ['/things:import', '/things:import', {}],
  ['/v{version}/{id}', '/v2/5', { version: '2', id: '5' }],
  ['/{a}-{b}', '/x-y', { a: 'x', b: 'y' }],
  ['/{a}-{b}', '/x-y-z', { a: 'x-y', b: 'z' }],
  ['/{a}-{b}', '/x%2Dy', { a: 'x', b: 'y' }],
  ['/{a}-{b}', '/xy', undefined],
  ['/{a}:{b}', '/x:y%3Az', { a: 'x', b: 'y:z' }],
  ['/{name}.{format}', '/report.v1.csv', { name: 'report.v1', format: 'csv' }],
  ['/{order-id}/x', '/5/x', { 'order-id': '5' }],
  ['/files/{path}', '/files/a%2Fb.txt', { path: 'a/b.txt' }],
  ['/files/{path}', '/files/a/b.txt', undefined],
  ['/files/{path}/', '/files/a/', { path: 'a' }],
  ['/files/{path}', '/files/a/', undefined],
  ["/a@1/$&(x)+,;=!'/{id}", "/a@1/$&(x)+,;=!'/5", { id: '5' }],
  ['/a.b/{id}', '/axb/5', undefined],
]

for (const [name, Router] of Object.entries(routers)) {
  test.each(found)(`${name}: %s takes %s as it should`, async (template, path, values) => {
    expect(await read(Router, template, path)).toEqual(values)
    expect(contract(template).pattern.test(decodeURI(path))).toBe(values !== undefined)
  })

  test(`${name}: any values of a template come back, however they are encoded`, async () => {
    const value = fc.string({
      unit: fc.constantFrom('a', '/', ' ', '%', '東', '{', '?', '#', '\\', '$'),
      minLength: 1,
    })
    const templates = fc.constantFrom(
      '/{a}',
      '/{a}.csv',
      '/{a}:go/{b}',
      '/x-{a}-{b}',
      '/{a}/y/{b}.z',
      '/{a}@1{b}',
    )
    await fc.assert(
      fc.asyncProperty(templates, value, value, async (template, a, b) => {
        const path = template
          .replace('{a}', () => encodeURIComponent(a))
          .replace('{b}', () => encodeURIComponent(b))
        expect(await read(Router, template, path)).toEqual(template.includes('{b}') ? { a, b } : { a })
      }),
    )
  })
}

test('the more specific template comes first', () => {
  const sorted = [
    '/a/b/c',
    '/a/{id}.csv',
    '/a/{id}:go/c',
    '/a/{x}-{y}',
    '/a/{id}',
    '/{x}/b/c',
    '/{x}/{y}/{z}',
  ]
  const shuffled = fc.shuffledSubarray(sorted, { minLength: sorted.length })
  fc.assert(
    fc.property(shuffled, (some) => {
      const [first, ...rest] = some
        .map(contract)
        .sort(bySpecificity)
        .map(({ text }) => text)
      expect(first).toBe('/a/b/c')
      expect(rest.slice(-2)).toEqual(sorted.slice(-2))
      expect(rest.indexOf('/a/{id}')).toBe(3)
    }),
  )
})

test('and so it does among templates of other lengths, in whatever order they are listed', () => {
  const listed = ['/tasks', '/tasks/{id}', '/shops', '/shops/{id}', '/tasks/{id}/cancel', '/tasks/overview']
  const trees = [parseTemplate('/tasks/*', 'plain'), parseTemplate('/*', 'plain')]
  const all = [...listed.map(contract), ...trees]
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (some) => {
      const sorted = some.sort(bySpecificity).map(({ text }) => text)
      const places = ['/tasks', '/tasks/overview', '/tasks/{id}', '/tasks/*', '/*'].map((text) =>
        sorted.indexOf(text),
      )
      expect(places).toEqual(places.toSorted((a, b) => a - b))
    }),
  )
})

const methods = methodsOf(
  [
    ['GET', '/orders/{id}'],
    ['DELETE', '/orders/{id}'],
    ['POST', '/orders/redrive'],
    ['POST', '/orders/{id}:hold'],
    ['GET', '/shops/{shop}/{id}'],
    ['PUT', '/shops/{name}/summary'],
    ['POST', '/login'],
  ]
    .map(([method = '', path = '']) => ({ method, template: contract(path) }))
    .concat({ method: 'GET', template: parseTemplate('/*', 'plain') }),
)

test.each([
  ['/orders/1', ['GET', 'HEAD', 'DELETE']],
  ['/orders/redrive', ['POST', 'GET', 'HEAD']],
  ['/login', ['POST', 'GET', 'HEAD']],
  ['/nowhere', ['GET', 'HEAD']],
])('with a tree beside it, %s takes what is its own and what the tree takes', (path, taken) => {
  expect(new Set(methods.allowedAt(path))).toEqual(new Set([...taken, 'GET', 'HEAD']))
})

test.each([
  ['GET', '/orders/{id}', ['/orders/redrive', '/orders/{id}:hold']],
  ['DELETE', '/orders/{id}', ['/orders/redrive', '/orders/{id}:hold']],
  ['POST', '/orders/redrive', []],
  ['GET', '/shops/{shop}/{id}', ['/shops/{name}/summary']],
  ['PUT', '/shops/{name}/summary', []],
])('%s %s leaves alone what a more specific path has', (method, path, closed) => {
  const found = methods.shadowing(method, contract(path)).map(({ text }) => text)
  expect(found.sort()).toEqual([...closed].sort())
  expect(methods.shadowing('GET', parseTemplate('/*', 'plain'))).toEqual([])
})

test('a long segment that fits nowhere is found out in linear time', () => {
  const { pattern } = contract('/{a}-{b}-{c}.csv')
  const steps = (length: number) => {
    const path = `/${'-'.repeat(length)}`
    const started = process.cpuUsage().user
    for (let index = 0; index < 20; index += 1) expect(pattern.test(path)).toBe(false)
    return process.cpuUsage().user - started
  }
  steps(1000)
  // cubic time would be days
  expect(steps(100_000)).toBeLessThan(30_000_000)
})
