import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { file } from '#src/runtime/schemas/file.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const Form = z.strictObject({
  item: z.string().max(20),
  tag: z.array(z.string()).optional(),
})
const route = defineRoute({
  method: 'post',
  path: '/form',
  operationId: 'sendForm',
  summary: 'Take a form',
  security: 'public',
  request: {
    body: {
      required: true,
      content: {
        'application/x-www-form-urlencoded': { schema: Form },
        'multipart/form-data': { schema: Form.extend({ note: z.union([z.string(), file()]).optional() }) },
      },
    },
  },
  responses: { 200: json('What was sent', z.looseObject({ item: z.string() })) },
})
const form = handle(route, async (c) => {
  const { item, tag = [] } = c.req.valid('form')
  return c.json({ item, tag }, 200)
})
const { api } = await testService({ databaseUrl: noDatabase, features: [featureOf(form)] })

const boundary = 'between-the-parts-7d1c2b'

function encoded(body: string) {
  return api('/form', {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
}

function parts(...fields: [name: string, value: string, filename?: string][]) {
  const body = fields.map(
    ([name, value, filename]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename ? `; filename="${filename}"` : ''}\r\n\r\n${value}\r\n`,
  )
  return multipart(`${body.join('')}--${boundary}--\r\n`)
}

function multipart(body: string, type = `multipart/form-data; boundary=${boundary}`) {
  return api('/form', { method: 'POST', body, headers: { 'Content-Type': type } })
}

const ways: [string, (...fields: [string, string][]) => Promise<Response>][] = [
  ['urlencoded', (...fields) => encoded(new URLSearchParams(fields).toString())],
  ['multipart', parts],
]

describe.each(ways)('a form that is %s', (_how, send) => {
  test('is taken where it fits', async () => {
    const response = await send(['item', 'a b+é&'], ['tag', '1'], ['tag', '2'])
    expect(await expectJson(response)).toEqual({ item: 'a b+é&', tag: ['1', '2'] })
  })

  test.each<[string, string, ...[string, string][]]>([
    ['lacks a field', '#/item', ['tag', '1']],
    ['has a field of nobody', '#/price', ['item', 'a'], ['price', '1']],
    ['says a field twice', '#/item', ['item', 'a'], ['item', 'b']],
    ['has __proto__', '#/__proto__', ['item', 'a'], ['__proto__', 'x']],
    ['has constructor', '#/constructor', ['item', 'a'], ['constructor', 'x']],
    ['holds a NUL', '#/item', ['item', 'a\0b']],
    ['holds a NUL in a list', '#/tag', ['item', 'a'], ['tag', '\0']],
    ['is too long in a field', '#/item', ['item', 'x'.repeat(21)]],
  ])('and %s is refused', async (_what, pointer, ...fields) => {
    const problem = await expectProblem(await send(...fields), 400, 'VALIDATION_FAILED')
    expect(problem.errors).toEqual([{ detail: expect.any(String), in: 'body', pointer }])
  })

  test('and leaves every object of the process as it was', async () => {
    await send(['item', 'a'], ['__proto__[polluted]', 'x'], ['constructor.prototype.polluted', 'x'])
    expect({}).not.toHaveProperty('polluted')
  })
})

test.each(['', '&&', '%', '%zz=1', 'item', '=', 'item=%FF'])(
  'the urlencoded form %j is no 500',
  async (body) => {
    const { status } = await encoded(body)
    expect([200, 400]).toContain(status)
  },
)

test.each([
  ['no boundary', '', 'multipart/form-data'],
  ['an empty boundary', '', 'multipart/form-data; boundary='],
  ['another boundary', '--y\r\n\r\n--y--\r\n', undefined],
  ['no end', `--${boundary}\r\nContent-Disposition: form-data; name="item"\r\n\r\na`, undefined],
  ['no headers', `--${boundary}\r\na\r\n--${boundary}--\r\n`, undefined],
  ['no name', `--${boundary}\r\nContent-Disposition: form-data\r\n\r\na\r\n--${boundary}--\r\n`, undefined],
  ['nothing', '', undefined],
  ['rubbish', `\0\r\n--${boundary}`, undefined],
])('a multipart form with %s is malformed', async (_what, body, type) => {
  await expectProblem(await multipart(body, type), 400, 'MALFORMED_REQUEST')
})

test('a file where a text belongs is refused', async () => {
  const problem = await expectProblem(await parts(['item', 'a', 'a.txt']), 400, 'VALIDATION_FAILED')
  expect(problem.errors).toMatchObject([{ pointer: '#/item' }])
})

test('a file may hold any bytes', async () => {
  const response = await parts(['item', 'a'], ['note', '\0\ud83d\ude00', 'a.bin'])
  expect((await expectJson(response)).item).toBe('a')
})

test.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded; charset=latin1'])(
  '%s is no form that the route takes',
  async (type) => {
    const response = await api('/form', { method: 'POST', body: 'item=a', headers: { 'Content-Type': type } })
    await expectProblem(response, 415, 'UNSUPPORTED_MEDIA_TYPE')
  },
)
