import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { allTypesRoute, formData, pointers } from '#test/support/forms.ts'
import { testService } from '#test/support/service.ts'

const Note = z.strictObject({ title: z.string() })
const Upload = z.strictObject({
  title: z.string(),
  file: z.instanceof(File).openapi({ type: 'string', format: 'binary' }),
})
const Sent = z.object({ by: z.string() })
const Received = z.object({ name: z.string(), type: z.string(), size: z.int(), text: z.string() })
const common = { method: 'post', summary: 'Take a body', security: 'public' } as const

const all = allTypesRoute(Note, Sent)
const formOnly = defineRoute({
  ...common,
  path: '/form',
  operationId: 'form',
  request: { body: { required: true, content: { 'application/x-www-form-urlencoded': { schema: Note } } } },
  responses: { 200: json('What came', Sent) },
})
const upload = defineRoute({
  ...common,
  path: '/upload',
  operationId: 'upload',
  request: { body: { required: true, content: { 'multipart/form-data': { schema: Upload } } } },
  responses: { 200: json('What came', Received) },
})
const optional = defineRoute({
  ...common,
  path: '/optional',
  operationId: 'optional',
  request: { body: { content: all.request.body.content } },
  responses: { 200: json('What came', Sent) },
})
const feature = featureOf(
  handle(all, (c) => c.json({ by: c.req.valid('json') === undefined ? 'form' : 'json' }, 200)),
  handle(formOnly, (c) => c.json({ by: c.req.valid('form').title }, 200)),
  handle(upload, async (c) => {
    const { file } = c.req.valid('form')
    return c.json({ name: file.name, type: file.type, size: file.size, text: await file.text() }, 200)
  }),
  handle(optional, (c) => c.json({ by: c.req.valid('json') === undefined ? 'nothing' : 'json' }, 200)),
)
const { api } = await testService({ databaseUrl: noDatabase, features: [feature] })

test('a route that takes one type takes that', async () => {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded;charset=UTF-8' }
  expect(await expectJson(await api('/form', { body: 'title=Tea', headers }))).toEqual({ by: 'Tea' })
})

test.each(['application/json', 'Application/JSON ; charset=utf-8'])('JSON may be called %s', async (type) => {
  const response = await api('/all', { body: '{"title":"Tea"}', headers: { 'Content-Type': type } })
  expect(await expectJson(response)).toEqual({ by: 'json' })
})

test('a file comes with its name, type and bytes', async () => {
  const body = formData([
    ['title', 'A photo'],
    ['file', new File(['\0bytes'], 'photo.png', { type: 'image/png' })],
  ])
  expect(await expectJson(await api('/upload', { body }))).toEqual({
    ...{ name: 'photo.png', type: 'image/png', size: 6, text: '\0bytes' },
  })
})

test('a text is no file, and a file no text', async () => {
  const text = formData([
    ['title', 'x'],
    ['file', 'bytes'],
  ])
  expect(
    pointers(await expectProblem(await api('/upload', { body: text }), 400, 'VALIDATION_FAILED')),
  ).toEqual(['#/file'])
  const file = formData([['title', new File(['x'], 'x')]])
  expect(pointers(await expectProblem(await api('/all', { body: file }), 400, 'VALIDATION_FAILED'))).toEqual([
    '#/title',
  ])
})

const refused: [path: string, type: string | undefined][] = [
  ['/all', 'text/plain'],
  ['/all', 'application/xml'],
  ['/all', undefined],
  ['/all', 'rubbish'],
  ['/all', 'application/merge-patch+json'],
  ['/all', 'application/x-www-form-urlencoded; charset=iso-8859-1'],
  ['/form', 'application/json'],
  ['/form', 'multipart/form-data; boundary=b'],
  ['/upload', 'application/x-www-form-urlencoded'],
  ['/optional', 'text/plain'],
]

test.each(refused)('%s does not take %s', async (path, type) => {
  const headers = type === undefined ? {} : { 'Content-Type': type }
  const response = await api(path, { body: new TextEncoder().encode('title=Tea'), headers })
  await expectProblem(response, 415, 'UNSUPPORTED_MEDIA_TYPE')
})

test('a body that is required must be there; one that is not may be missing', async () => {
  await expectProblem(await api('/all', { method: 'POST' }), 415, 'UNSUPPORTED_MEDIA_TYPE')
  expect(await expectJson(await api('/optional', { method: 'POST' }))).toEqual({ by: 'nothing' })
  await expectProblem(await api('/optional', { json: { colour: 'red' } }), 400, 'VALIDATION_FAILED')
})

test('the contract shows what each takes, and a file as bytes', async () => {
  const { paths } = await expectJson<{ paths: Paths }>(await api('/openapi.json'))
  const types = (path: string) => Object.keys(paths[path]?.post.requestBody.content ?? {})
  expect(types('/all')).toEqual(Object.keys(all.request.body.content))
  expect(types('/form')).toEqual(['application/x-www-form-urlencoded'])
  expect(paths['/upload']?.post.requestBody.content['multipart/form-data']?.schema).toMatchObject({
    properties: { file: { type: 'string', format: 'binary' } },
    additionalProperties: false,
  })
})

type Paths = Record<string, { post: { requestBody: { content: Record<string, { schema: unknown }> } } }>
