import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { at } from '#src/runtime/feature.ts'
import { handle, handlePlain, type RouteDefinition } from '#src/runtime/routes/route.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const route = (path: string, params?: z.ZodType) => {
  const route = {
    method: 'get',
    path,
    operationId: 'show',
    summary: 'Show',
    security: 'public',
    responses: {},
  }
  return handle({ ...route, ...(params && { request: { params } }) } as RouteDefinition, () => new Response())
}
const start = (prefix: string, operation: ReturnType<typeof route> | ReturnType<typeof handlePlain>) =>
  testService({ databaseUrl: noDatabase, features: [at(prefix, featureOf(operation))] })
const plain = (path: string) => handlePlain({ method: 'get', path, security: 'public' }, () => new Response())
const id = z.object({ id: z.string() })

const parameter = (whole: string) =>
  `has ${whole} in its path: a parameter is {name}, of letters, digits, _ and -, and takes one segment. ` +
  'Write a second route for the path without it, handlePlain with /* for a whole tree.'
const odd = (character: string) =>
  `has ${JSON.stringify(character)} in its path: write letters, digits, -._~!$&'()+,;=:@ and parameters as {name}.`

const refused: [path: string, params: z.ZodType | undefined, complaint: string][] = [
  ['/a/:id', id, 'has :id in its path: write {id}.'],
  ['/a/{id?}', id, parameter('{id?}')],
  ['/a/{id*}', id, parameter('{id*}')],
  ['/a/{+id}', id, parameter('{+id}')],
  ['/a/{}', id, parameter('{}')],
  ['/a/{1}', id, parameter('{1}')],
  ['/a/{__proto__}', id, parameter('{__proto__}')],
  ['/a/{id}{id}', id, 'has }{ in its path: write something between the two parameters, such as {a}-{b}.'],
  ['/a/*', undefined, 'has * in its path: for a whole tree use handlePlain, for one segment write {name}.'],
  ['/a/x*', undefined, 'has * in its path: for a whole tree use handlePlain, for one segment write {name}.'],
  ['/a b', undefined, odd(' ')],
  ['/a%20b', undefined, odd('%')],
  ['/東京', undefined, odd('東')],
  ['/a?b=1', undefined, odd('?')],
  ['/a#b', undefined, odd('#')],
  ['/a/{id', undefined, odd('{')],
  ['/a/id}', undefined, odd('}')],
  ['/a//b', undefined, 'has // in its path: take it out.'],
  ['/a/../b', undefined, 'has the segment .. in its path: take it out.'],
  ['/a/{id}/b/{id}', id, 'has id twice in its path: rename one.'],
  [
    '/a/{id}',
    undefined,
    'has {id} in its path, but not in request.params: write params: z.object({ id: z.string() }).',
  ],
  [
    '/a/{id}.csv',
    z.object({ key: z.string() }),
    'has {id} in its path, but not in request.params: write params: z.object({ id: z.string() }).',
  ],
  [
    '/a/{order-id}',
    id,
    "has {order-id} in its path, but not in request.params: write params: z.object({ 'order-id': z.string() }).",
  ],
  [
    '/a',
    id,
    'takes the path parameter id, which its path does not have: write {id} in the path, or remove it from request.params.',
  ],
  [
    '/a/{id}',
    z.object({ id: z.string().optional() }),
    'takes the path parameter id as optional, but it is always there: remove .optional() or .default().',
  ],
  [
    '/a/{id}',
    z.object({ id: z.string().default('1') }),
    'takes the path parameter id as optional, but it is always there: remove .optional() or .default().',
  ],
  [
    '/a/{id}',
    z.record(z.string(), z.string()),
    'has request.params that are not a z.object, so the contract cannot show them. Write a z.object.',
  ],
]

test.each(refused)(
  'the path %s does not start, and the message says what to write',
  async (path, params, complaint) => {
    await expect(start('/', route(path, params))).rejects.toThrow(new Error(`GET ${path} ${complaint}`))
  },
)

test('the parameters of a prefix belong to the path', async () => {
  await expect(start('/shops/{shop}', route('/a/{id}', id))).rejects.toThrow(
    'GET /shops/{shop}/a/{id} has {shop} in its path, but not in request.params: write params: z.object({ shop: z.string() }).',
  )
  await expect(start('/shops/:shop', route('/a/{id}', id))).rejects.toThrow(
    'GET /shops/:shop/a/{id} has :shop in its path: write {shop}.',
  )
  await expect(start('/shops/{id}', route('/a/{id}', id))).rejects.toThrow(
    'GET /shops/{id}/a/{id} has id twice in its path: rename one.',
  )
})

const refusedPlain: [path: string, complaint: string][] = [
  ['/a/x*', 'has x* in its path: * must be the whole segment. Write /:name{.+} for a regular expression.'],
  ['/a/:id?/b', 'has ? in its path: only the last parameter may be absent.'],
  ['/a b', 'has " " in its path: write the path decoded, without white space, # and %.'],
  ['/a/:id{[}', 'has a path that cannot be read: Invalid regular expression'],
  ['/a/:id/:id', 'has id twice in its path: rename one.'],
]

test.each(refusedPlain)('the plain path %s does not start', async (path, complaint) => {
  await expect(start('/', plain(path))).rejects.toThrow(`GET ${path} ${complaint}`)
})
