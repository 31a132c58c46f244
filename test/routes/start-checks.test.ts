import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { at, defineFeature, type Feature } from '#src/runtime/feature.ts'
import { defineProblems, Problem } from '#src/runtime/kernel/problem.ts'
import { handle, handlePlain, json, jsonBody, type RouteDefinition } from '#src/runtime/routes/route.ts'
import { stream } from '#src/runtime/routes/stream.ts'
import { expectJson } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const Thing = z.object({ name: z.string() })
const good = {
  method: 'post',
  path: '/things',
  operationId: 'makeThing',
  summary: 'Make a thing',
  security: ['things:write'],
  responses: { 200: json('The thing', Thing) },
} as const satisfies RouteDefinition
const route = (more: object = {}) => handle({ ...good, ...more } as RouteDefinition, () => new Response())
const start = (...features: Feature[]) => testService({ databaseUrl: noDatabase, features })

test('a service whose routes state what they must starts', async () => {
  await expect(start(featureOf(route()))).resolves.toBeDefined()
})

const rubbish: [name: string, security: unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['true', true],
  ['an empty text', ''],
  ['a word that is none of the three', 'none'],
  ['a scope that is not in a list', 'things:write'],
  ['an empty list', []],
  ['a list with an empty scope', ['']],
  ['two scopes in one', ['things:read things:write']],
  ['a scope with a quote', ['things:"write"']],
  ['a scope that is no text', [1]],
  ['a list of a list', [['things:write']]],
  ['an object', { bearer: [] }],
]

test.each(rubbish)('a route whose security is %s does not start, and is named', async (_name, security) => {
  const message = 'POST /things does not declare its security. Give it security: '
  await expect(start(featureOf(route({ security })))).rejects.toThrow(message)
  const plain = { method: 'post', path: '/hooks/:name', security } as Parameters<typeof handlePlain>[0]
  const feature = featureOf(handlePlain(plain, () => new Response()))
  await expect(start(feature)).rejects.toThrow('POST /hooks/:name does not declare its security. Give it')
})

test('a route is named with the prefix of its feature', async () => {
  await expect(start(at('/v2', featureOf(route({ security: undefined }))))).rejects.toThrow(
    'POST /v2/things does',
  )
})

const twice: [name: string, first: object, second: object][] = [
  ['the same', {}, { operationId: 'other' }],
  [
    'the same but for the parameter’s name',
    { path: '/things/{id}', request: { params: z.object({ id: z.string() }) } },
    {
      path: '/things/{key}',
      operationId: 'other',
      request: { params: z.object({ key: z.string() }) },
    },
  ],
]

test.each([
  ['below /runtime', featureOf(route({ path: '/runtime/things' }))],
  ['at /runtime', featureOf(route({ path: '/runtime' }))],
  ['mounted there', at('/runtime', featureOf(route()))],
])('a route %s does not start: that is the runtime’s', async (_where, feature) => {
  await expect(start(feature)).rejects.toThrow(
    /^POST \/runtime.* is below \/runtime, which is reserved for the runtime/,
  )
})

test('a route whose path only begins alike starts', async () => {
  await expect(start(featureOf(route({ path: '/runtimes' })))).resolves.toBeDefined()
})

test.each(twice)('two routes of one place, %s, do not start', async (_name, first, second) => {
  await expect(start(featureOf(route(first), route(second)))).rejects.toThrow(
    /^POST \/things.* is defined twice/,
  )
})

test('a plain route and one of the contract cannot share a place', async () => {
  const plain = handlePlain({ method: 'post', path: '/things/:id', security: 'public' }, () => new Response())
  const request = { params: z.object({ id: z.string() }) }
  await expect(start(featureOf(route({ path: '/things/{id}', request }), plain))).rejects.toThrow(
    'is defined twice',
  )
})

test('no feature can take a place of the runtime’s', async () => {
  const ping = route({ method: 'get', path: '/ping' })
  await expect(start(featureOf(ping))).rejects.toThrow('GET /ping is defined twice')
})

test('two routes of one operationId do not start', async () => {
  const other = route({ path: '/others' })
  await expect(start(featureOf(route(), other))).rejects.toThrow(
    'POST /others has the operationId makeThing of another route',
  )
})

const taken = defineProblems({ THING_TAKEN: { status: 409, title: 'The thing is taken' } })
const withProblems = (problems: Feature['problems'], ...routes: ReturnType<typeof route>[]) =>
  defineFeature({ name: 'things', description: 'Things.', problems, routes: () => routes })

test('a problem code that two features define does not start', async () => {
  const again = defineProblems({ THING_TAKEN: { status: 404, title: 'The thing is gone' } })
  const other = withProblems(again, route({ path: '/others', operationId: 'other' }))
  const message = 'The problem THING_TAKEN is defined twice'
  await expect(start(withProblems(taken, route()), other)).rejects.toThrow(message)
})

test('a problem code of the runtime’s cannot be defined again', async () => {
  const own = defineProblems({ TOKEN_EXPIRED: { status: 401, title: 'Log in again' } })
  await expect(start(withProblems(own, route()))).rejects.toThrow(
    'The problem TOKEN_EXPIRED is defined twice',
  )
})

test('two features may share one definition, and its code', async () => {
  const other = withProblems(taken, route({ path: '/others', operationId: 'other' }))
  await expect(start(withProblems(taken, route()), other)).resolves.toBeDefined()
})

test('a problem that a route lists but no feature defines does not start', async () => {
  const feature = withProblems({}, route({ problems: [taken.THING_TAKEN] }))
  await expect(start(feature)).rejects.toThrow(
    'POST /things lists the problem THING_TAKEN, which no feature defines',
  )
  expect(new Problem(taken.THING_TAKEN).definition.status).toBe(409)
})

test.each(['public', 'optional'])(
  'a route that is %s cannot be idempotent: its keys would be nobody’s',
  async (security) => {
    await expect(start(featureOf(route({ security, idempotent: true })))).rejects.toThrow(
      'POST /things is idempotent, but idempotency keys belong to a caller',
    )
  },
)

test('a route that streams cannot be idempotent: its response cannot be kept', async () => {
  const responses = { 200: stream('text/csv', 'Lines') }
  await expect(
    start(featureOf(route({ security: 'authenticated', idempotent: true, responses }))),
  ).rejects.toThrow(
    'POST /things is idempotent, but streams its response, which cannot be stored: respond with the URL of the stream',
  )
})

const loose: [name: string, request: object, place: string][] = [
  ['a body', { body: jsonBody(Thing) }, 'the top level'],
  ['an object in a body', { body: jsonBody(z.strictObject({ at: Thing })) }, 'at'],
  [
    'an object in a list',
    { body: jsonBody(z.strictObject({ lines: z.array(z.strictObject({ at: Thing })) })) },
    'lines[].at',
  ],
  ['an optional object', { body: jsonBody(z.strictObject({ at: Thing.optional() })) }, 'at'],
  ['an object or null', { body: jsonBody(z.strictObject({ at: Thing.nullable().default(null) })) }, 'at'],
  ['one kind of a union', { body: jsonBody(z.strictObject({ at: z.union([z.string(), Thing]) })) }, 'at'],
  ['a value of a record', { body: jsonBody(z.strictObject({ at: z.record(z.string(), Thing) })) }, 'at'],
  ['an object in a tuple', { body: jsonBody(z.strictObject({ at: z.tuple([Thing]) })) }, 'at'],
  [
    'an object behind a transformation',
    { body: jsonBody(z.strictObject({ at: z.preprocess((x) => x, Thing) })) },
    'at',
  ],
  ['an object that is made late', { body: jsonBody(z.strictObject({ at: z.lazy(() => Thing) })) }, 'at'],
  ['a query', { query: Thing }, 'the top level'],
  ['a form', { body: { content: { 'multipart/form-data': { schema: Thing } } } }, 'the top level'],
]

test.each(loose)(
  '%s that would drop unknown keys does not start, and its place is named',
  async (_name, request, place) => {
    await expect(start(featureOf(route({ request })))).rejects.toThrow(
      `POST /things takes an object that would drop unknown keys (${place}): write z.strictObject to refuse them`,
    )
  },
)

test('a loose object says that it takes unknown keys, and starts', async () => {
  const request = { body: jsonBody(z.strictObject({ at: z.looseObject({ name: z.string() }) })) }
  await expect(start(featureOf(route({ request })))).resolves.toBeDefined()
})

test('a schema that contains itself starts, where it has a name', async () => {
  const Tree = z
    .strictObject({
      name: z.string(),
      get children(): z.ZodArray<z.ZodType> {
        return z.array(Tree)
      },
    })
    .openapi('Tree')
  const { api } = await start(featureOf(route({ request: { body: jsonBody(Tree) } })))
  expect(await expectJson(await api('/openapi.json'))).toMatchObject({
    components: {
      schemas: { Tree: { properties: { children: { items: { $ref: '#/components/schemas/Tree' } } } } },
    },
  })
})
