import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { handle, handlePlain, type RouteDefinition } from '#src/runtime/routes/route.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const Note = z.strictObject({ title: z.string() })
const good = {
  method: 'post',
  path: '/notes',
  operationId: 'writeNote',
  summary: 'Write a note',
  security: 'public',
  responses: { 204: { description: 'It is written' } },
} as const satisfies RouteDefinition
const start = (more: object) =>
  testService({
    databaseUrl: noDatabase,
    features: [featureOf(handle({ ...good, ...more } as RouteDefinition, () => new Response()))],
  })
const taking = (content: object) => start({ request: { body: { content } } })

test.each<[string, object]>([
  ['JSON', { 'application/json': { schema: Note } }],
  [
    'JSON of other kinds',
    { 'application/merge-patch+json': { schema: Note }, 'application/vnd.x.y+json': { schema: z.unknown() } },
  ],
  ['bytes', { 'application/octet-stream': {}, 'application/pdf': {}, 'image/*': {}, '*/*': {} }],
  ['bytes that the contract describes', { 'image/png': { schema: { type: 'string', format: 'binary' } } }],
  [
    'texts',
    {
      'text/plain': { schema: z.string() },
      'text/csv': {
        schema: z
          .string()
          .min(1)
          .transform((text) => text.split('\n')),
      },
    },
  ],
  ['an enumeration as text', { 'text/plain': { schema: z.enum(['on', 'off']) } }],
])('a route that takes %s starts', async (_what, content) => {
  await expect(taking(content)).resolves.toBeDefined()
})

test.each<[string, object, string]>([
  [
    'json',
    { json: { schema: Note } },
    '"json", which is not a media type: write one such as application/json.',
  ],
  ['an empty type', { '': { schema: Note } }, '"", which is not a media type'],
  ['a range of nothing', { '*/json': {} }, '"*/json", which is not a media type'],
  ['two types in one', { 'text/csv, text/plain': {} }, '"text/csv, text/plain", which is not a media type'],
  [
    'capitals',
    { 'Application/JSON': { schema: Note } },
    '"Application/JSON", which is not in lower case: write "application/json".',
  ],
  [
    'a charset',
    { 'application/json; charset=utf-8': { schema: Note } },
    '"application/json; charset=utf-8", with parameters, which are not compared: write "application/json".',
  ],
  ['a profile', { 'application/json;profile="urn:x"': { schema: Note } }, 'write "application/json".'],
  ['a boundary', { 'multipart/form-data; boundary=x': { schema: Note } }, 'write "multipart/form-data".'],
  ['no type', {}, 'declares a body without a media type: add one to its content'],
  [
    'JSON without a schema',
    { 'application/json': {} },
    'takes application/json without a zod schema: write z.unknown()',
  ],
  [
    'JSON that nothing checks',
    { 'application/json': { schema: { type: 'object' } } },
    'without a zod schema',
  ],
  [
    'a form without a schema',
    { 'multipart/form-data': {} },
    'takes multipart/form-data without a zod schema',
  ],
  [
    'an image as a file',
    { 'image/png': { schema: z.file() } },
    'takes image/png with a zod schema that is not text, but such a body is read as text',
  ],
  [
    'bytes as anything',
    { 'application/pdf': { schema: z.unknown() } },
    'leave the schema out and read the body by c.req.arrayBuffer()',
  ],
  [
    'a number as text',
    { 'text/plain': { schema: z.coerce.number() } },
    'takes text/plain with a zod schema that is not text',
  ],
  [
    'an object as XML',
    { 'application/xml': { schema: Note } },
    'takes application/xml with a zod schema that is not text',
  ],
])('a route that takes %s does not start', async (_what, content, message) => {
  await expect(taking(content)).rejects.toThrow('POST /notes ')
  await expect(taking(content)).rejects.toThrow(message)
})

test('a GET with a body does not start; a DELETE does', async () => {
  const request = { body: { content: { 'application/json': { schema: Note } } } }
  await expect(start({ method: 'get', request })).rejects.toThrow(
    'GET /notes declares a body, but GET has none: write post, or put it into request.query.',
  )
  await expect(start({ method: 'delete', request })).resolves.toBeDefined()
})

test('a response of a type that is none does not start', async () => {
  const responses = { 200: { description: 'A note', content: { json: { schema: Note } } } }
  await expect(start({ responses })).rejects.toThrow(
    'POST /notes declares a response of the type "json", which is not a media type: write one such as application/json.',
  )
  const charset = { 200: { description: 'Rows', content: { 'Text/CSV; charset=utf-8': {} } } }
  await expect(start({ responses: charset })).resolves.toBeDefined()
})

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1mb', null])(
  'the limit %s does not start',
  async (limit) => {
    const request = { body: { content: { 'application/json': { schema: Note } } } }
    for (const name of ['bodyLimit', 'bodyValues'])
      await expect(start({ request, [name]: limit })).rejects.toThrow(
        `POST /notes declares the ${name} ${limit}: write a whole number above 0.`,
      )
    const plain = { method: 'post', path: '/hook', security: 'public', bodyLimit: limit } as Parameters<
      typeof handlePlain
    >[0]
    const feature = featureOf(handlePlain(plain, () => new Response()))
    await expect(testService({ databaseUrl: noDatabase, features: [feature] })).rejects.toThrow(
      'POST /hook declares the bodyLimit',
    )
  },
)

test('a limit of values needs JSON that has some', async () => {
  await expect(start({ bodyValues: 10 })).rejects.toThrow(
    'declares bodyValues, but takes no JSON: leave it out.',
  )
  const request = { body: { content: { 'text/csv': {} } } }
  await expect(start({ request, bodyValues: 10 })).rejects.toThrow('declares bodyValues, but takes no JSON')
})

test('the contract says whether a body must be there', async () => {
  const content = { 'application/json': { schema: Note }, 'image/*': {} }
  for (const required of [undefined, false, true]) {
    const { api } = await start({
      request: { body: { ...(required !== undefined && { required }), content } },
    })
    const { paths } = (await (await api('/openapi.json')).json()) as {
      paths: { '/notes': { post: { requestBody: { required: boolean; content: object } } } }
    }
    const { requestBody } = paths['/notes'].post
    expect(requestBody.required).toBe(required ?? false)
    expect(requestBody.content).toMatchObject({ 'image/*': {} })
  }
})
