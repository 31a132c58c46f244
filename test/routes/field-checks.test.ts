import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { handle, type RouteDefinition } from '#src/runtime/routes/route.ts'
import { file } from '#src/runtime/schemas/file.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const start = (request: object, more: object = {}) => {
  const route = {
    ...{ method: 'post', path: '/x', operationId: 'x', summary: 'X', security: 'public' },
    ...{ request, responses: { 204: { description: 'Done' } }, ...more },
  } as RouteDefinition
  const features = [featureOf(handle(route, () => new Response()))]
  return testService({ databaseUrl: noDatabase, features })
}
const query = (at: z.ZodType) => ({ query: z.strictObject({ at }) })
const form = (at: z.ZodType, type = 'application/x-www-form-urlencoded') => ({
  body: { required: true, content: { [type]: { schema: z.strictObject({ at }) } } },
})
const upload = (at: z.ZodType) => form(at, 'multipart/form-data')
const body = (schema: z.ZodType) => ({
  body: { required: true, content: { 'multipart/form-data': { schema } } },
})

const object =
  'takes an object, but is sent as text: take its keys one by one, or z.string() and parse it in .transform().'
const nested =
  'takes a list of lists, which repeated names cannot express: write one list, or z.string() and parse it in .transform().'
const single = 'takes a list, but is one text: write z.string().transform((text) => text.split(",")).'
const noFile = 'takes a file, which only multipart/form-data can send: declare only that content type.'
const noText = (kind: string) => `takes z.${kind}(), but is sent as text: write z.string(), and transform it.`
const unlisted =
  'has a query whose parameters the contract cannot list: write one z.strictObject(), with .optional() for ' +
  'parameters that may be absent and .refine() for those that belong together.'
const variants =
  'takes a list in one variant and a single value in another: write z.array() in both, or other names.'

test.each<[what: string, request: object, complaint: string]>([
  ['an object', query(z.strictObject({ a: z.string() })), `(query parameter at) ${object}`],
  ['an object in a list', query(z.array(z.strictObject({}))), `(query parameter at) ${object}`],
  [
    'an object in a union',
    query(z.union([z.string(), z.looseObject({})]).optional()),
    `(query parameter at) ${object}`,
  ],
  ['an object behind z.lazy()', query(z.lazy(() => z.strictObject({}))), `(query parameter at) ${object}`],
  ['a record', query(z.record(z.string(), z.string())), `(query parameter at) ${object}`],
  ['a map', query(z.map(z.string(), z.string())), `(query parameter at) ${object}`],
  ['an object in a form', form(z.strictObject({})), `(form field at) ${object}`],
  ['an object in a multipart form', upload(z.strictObject({})), `(form field at) ${object}`],
  ['a list of lists', query(z.array(z.array(z.string()))), `(query parameter at) ${nested}`],
  ['a tuple of lists', upload(z.tuple([z.array(z.string())]).optional()), `(form field at) ${nested}`],
  ['z.date()', query(z.date()), `(query parameter at) ${noText('date')}`],
  ['z.bigint()', form(z.bigint()), `(form field at) ${noText('bigint')}`],
  ['a file in a query', query(file()), `(query parameter at) ${noFile}`],
  ['a file in a simple form', form(z.array(file()).optional()), `(form field at) ${noFile}`],
  [
    'a file in JSON',
    form(file().optional(), 'application/json'),
    'takes a file in application/json: write multipart/form-data, or z.base64().',
  ],
  ['a list in a header', { headers: z.object({ 'x-a': z.array(z.string()) }) }, `(header x-a) ${single}`],
  [
    'a list in a cookie',
    { cookies: z.object({ a: z.array(z.string()).optional() }) },
    `(cookie a) ${single}`,
  ],
  [
    'a query of variants',
    { query: z.union([z.strictObject({}), z.strictObject({ a: z.string() })]) },
    unlisted,
  ],
  ['a query of any names', { query: z.record(z.string(), z.string()) }, unlisted],
  ['a query that is no object', { query: z.string() }, unlisted],
  [
    'a list in one variant only',
    body(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('a'), to: z.string() }),
        z.strictObject({ kind: z.literal('b'), to: z.array(z.string()) }),
      ]),
    ),
    `(form field to) ${variants}`,
  ],
  [
    'objects for names that it does not know',
    body(z.object({}).catchall(z.strictObject({}))),
    `(form field *) ${object}`,
  ],
  [
    'files larger than the body',
    upload(file({ maxBytes: 1024 * 1024 })),
    '(form field at) takes files of 1048576 bytes, but bodies of 1048576: declare a larger bodyLimit, with room for the rest of the form.',
  ],
])('%s does not start, and the message says what to write', async (_what, request, complaint) => {
  await expect(start(request)).rejects.toThrow(new Error(`POST /x ${complaint}`))
})

test('a list in the path does not start', async () => {
  const params = z.object({ at: z.array(z.string()) })
  await expect(start({ params }, { path: '/x/{at}' })).rejects.toThrow(
    new Error(`POST /x/{at} (path parameter at) ${single}`),
  )
})

test('a larger bodyLimit lets larger files in', async () => {
  await start(upload(file({ maxBytes: 1024 * 1024 })), { bodyLimit: 2 * 1024 * 1024 })
})
