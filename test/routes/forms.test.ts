import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import type { ClientRequest } from '#test/support/client.ts'
import { expectJson, expectProblem, type Json } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { allTypesRoute, formData, type Pairs, pointers } from '#test/support/forms.ts'
import { testService } from '#test/support/service.ts'

const Note = z.strictObject({
  title: z.string().min(1),
  tags: z.array(z.string()).optional(),
  more: z.string().default('-'),
})
const Answer = z.object({
  by: z.string(),
  title: z.string(),
  tags: z.array(z.string()).optional(),
  more: z.string(),
})
const all = allTypesRoute(Note, Answer)
const feature = featureOf(
  handle(all, (c) => {
    const sent = c.req.valid('json')
    const form = c.req.valid('form') as z.infer<typeof Note> // one of the two is there
    return c.json(sent ? { by: 'json', ...sent } : { by: 'form', ...form }, 200)
  }),
)
const { api } = await testService({ databaseUrl: noDatabase, features: [feature] })

const urlencoded = { 'Content-Type': 'application/x-www-form-urlencoded' }
const encodings: [name: string, by: string, request: (pairs: Pairs) => ClientRequest][] = [
  ['JSON', 'json', (pairs) => ({ json: objectOf(pairs) })],
  [
    'a form',
    'form',
    (pairs) => ({ body: new URLSearchParams(pairs as [string, string][]).toString(), headers: urlencoded }),
  ],
  ['a form of parts', 'form', (pairs) => ({ body: formData(pairs) })],
]

describe.each(encodings)('a route that takes all takes %s', (_name, by, request) => {
  test('and answers', async () => {
    const response = await api('/all', request([['title', 'Tea & cake = 100 % +ünï']]))
    expect(await expectJson(response)).toEqual({ by, title: 'Tea & cake = 100 % +ünï', more: '-' })
  })

  test('with a list', async () => {
    const pairs: Pairs = [
      ['tags', 'a'],
      ['title', 'Tea'],
      ['tags', 'b'],
    ]
    expect(await expectJson(await api('/all', request(pairs)))).toMatchObject({ tags: ['a', 'b'] })
  })

  test('and refuses a key that it does not know', async () => {
    const response = await api(
      '/all',
      request([
        ['title', 'Tea'],
        ['colour', 'red'],
        ['__proto__x', 'x'],
      ]),
    )
    expect(pointers(await expectProblem(response, 400, 'VALIDATION_FAILED'))).toEqual([
      '#/__proto__x',
      '#/colour',
    ])
  })

  test('and names each place that does not fit', async () => {
    const response = await api('/all', request([['title', '']]))
    expect(pointers(await expectProblem(response, 400, 'VALIDATION_FAILED'))).toEqual(['#/title'])
    await expectProblem(await api('/all', request([['tags', 'a']])), 400, 'VALIDATION_FAILED')
  })

  test('and refuses a NUL, in a value or a key', async () => {
    const value = await api('/all', request([['title', 'a\0b']]))
    expect(pointers(await expectProblem(value, 400, 'VALIDATION_FAILED'))).toEqual(['#/title'])
    const key = await api(
      '/all',
      request([
        ['title', 'Tea'],
        ['a\0b', 'x'],
      ]),
    )
    await expectProblem(key, 400, 'VALIDATION_FAILED')
  })

  test('and refuses more bytes than it takes', async () => {
    await expectProblem(await api('/all', request([['title', 'x'.repeat(1001)]])), 413, 'BODY_TOO_LARGE')
  })
})

describe.each(encodings.slice(1))('where a key stands once, %s', (_name, _by, request) => {
  test('may not repeat it', async () => {
    const response = await api(
      '/all',
      request([
        ['title', 'Tea'],
        ['title', 'Cake'],
        ['more', 'x'],
        ['more', 'x'],
      ]),
    )
    expect(pointers(await expectProblem(response, 400, 'VALIDATION_FAILED'))).toEqual(['#/more', '#/title'])
  })

  test('may not be called __proto__', async () => {
    const response = await api(
      '/all',
      request([
        ['title', 'Tea'],
        ['__proto__', 'x'],
      ]),
    )
    await expectProblem(response, 400, 'VALIDATION_FAILED')
  })
})

test.each(['item=%ZZ', 'title=%', 'title=Tea&x=%FF', 'title=%C3%28', 'title=%ED%A0%80'])(
  'a form that is not percent-encoded UTF-8 is malformed: %s',
  async (body) => {
    await expectProblem(await api('/all', { body, headers: urlencoded }), 400, 'MALFORMED_REQUEST')
  },
)

test('a form of bytes that are no UTF-8 is malformed', async () => {
  const body = new Uint8Array([...Buffer.from('title='), 0xff, 0xfe])
  await expectProblem(await api('/all', { body, headers: urlencoded }), 400, 'MALFORMED_REQUEST')
})

test.each([
  ['without its boundary', 'multipart/form-data', 'x'],
  [
    'that is cut off',
    'multipart/form-data; boundary=b',
    '--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nTe',
  ],
  ['that is none', 'multipart/form-data; boundary=b', 'title=Tea'],
])('a form of parts %s is malformed', async (_name, type, body) => {
  await expectProblem(
    await api('/all', { body, headers: { 'Content-Type': type } }),
    400,
    'MALFORMED_REQUEST',
  )
})

test('a list may be optional, have a default, or bounds: one value is a list of one', async () => {
  const words = z.array(z.string())
  const Lists = z.strictObject({
    optional: words.optional(),
    byDefault: words.default([]),
    prefault: words.prefault([]),
    nullable: words.nullable().optional(),
    readonly: words.readonly(),
    bounded: words.min(1).max(2),
    refined: words.refine(({ length }) => length < 3).optional(),
  })
  const lists = defineRoute({
    method: 'post',
    path: '/lists',
    operationId: 'lists',
    summary: 'Take lists',
    security: 'public',
    request: {
      body: { required: true, content: { 'application/x-www-form-urlencoded': { schema: Lists } } },
    },
    responses: { 200: json('What came', z.record(z.string(), words)) },
  })
  const features = [featureOf(handle(lists, (c) => c.json({ ...c.req.valid('form') } as never, 200)))]
  const service = await testService({ databaseUrl: noDatabase, features })
  const names = Object.keys(Lists.shape)
  const body = names.map((name) => `${name}=x`).join('&')
  const response = await service.api('/lists', { body, headers: urlencoded })
  expect(await expectJson(response)).toEqual(Object.fromEntries(names.map((name) => [name, ['x']])))
})

function objectOf(pairs: Pairs): Json {
  const tags = pairs.filter(([name]) => name === 'tags').map(([, value]) => value)
  return { ...Object.fromEntries(pairs), ...(tags.length > 0 && { tags }) }
}
