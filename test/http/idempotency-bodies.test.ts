import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { defineRoute, handle, json } from '#src/runtime/openapi/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

let calls = 0
const Result = z.object({ call: z.int(), text: z.string() })

const upload = defineRoute({
  method: 'post',
  path: '/uploads',
  operationId: 'upload',
  summary: 'Take a form',
  security: 'authenticated',
  idempotent: true,
  request: {
    body: {
      required: true,
      content: {
        'multipart/form-data': {
          schema: z.strictObject({
            title: z.string(),
            file: z.file().optional(),
            note: z.string().optional(),
          }),
        },
        'application/x-www-form-urlencoded': { schema: z.strictObject({ title: z.string() }) },
      },
    },
  },
  responses: { 201: json('What was made of it', Result, { Location: 'Where', ETag: 'Version' }) },
})
const act = defineRoute({
  method: 'post',
  path: '/act',
  operationId: 'act',
  summary: 'Take nothing, answer much',
  security: 'authenticated',
  idempotent: true,
  responses: { 200: json('A long answer', Result, { ETag: 'Version' }) },
})
const long = '茶🫖"\\\u0000 '.repeat(1000)
const service = await testService({
  features: [
    featureOf(
      handle(upload, (c) =>
        c.json({ call: ++calls, text: 'taken' }, 201, { Location: '/uploads/1', ETag: '"1"' }),
      ),
      handle(act, (c) => c.json({ call: ++calls, text: long }, 200, { ETag: '"7"' })),
    ),
  ],
})
const alice = await service.as('alice')

interface Part {
  name: string
  value: string
  file?: string
  type?: string
}

/** Sends a form as bytes, its boundary chosen by the test. */
function send(key: string, boundary: string, parts: Part[]): Promise<Response> {
  const lines = parts.flatMap(({ name, value, file, type }) => [
    `--${boundary}`,
    `Content-Disposition: form-data; name="${name}"${file === undefined ? '' : `; filename="${file}"`}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    '',
    value,
  ])
  return alice('/uploads', {
    body: [...lines, `--${boundary}--`, ''].join('\r\n'),
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}`, 'Idempotency-Key': key },
  })
}

const title = { name: 'title', value: 'Tea' }
const file = { name: 'file', value: 'leaf\0leaf', file: 'tea.txt', type: 'text/plain' }

test('a form sent again with another boundary is the same request', async () => {
  const first = await send('form', 'one', [title, file])
  const again = await send('form', 'two', [title, file])
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(again.headers.get('location')).toBe('/uploads/1')
  expect(await expectJson(again, 201)).toEqual(await expectJson(first, 201))
})

test.each<[string, Part[]]>([
  ['another text', [{ ...title, value: 'Coffee' }, file]],
  ['other bytes in the file', [title, { ...file, value: 'leaf\0lead' }]],
  ['another file name', [title, { ...file, file: 'coffee.txt' }]],
  ['another type of the file', [title, { ...file, type: 'text/html' }]],
  ['a part more', [title, file, { name: 'note', value: 'hot' }]],
  ['a part less', [title]],
  ['the parts in another order', [file, title]],
  ['bytes that look like a further part', [title, { ...file, value: `${file.value}["note","hot"]\n` }]],
])('a form with %s is another request: 422', async (what, parts) => {
  const key = what.replaceAll(' ', '-')
  await expectJson(await send(key, 'one', [title, file]), 201)
  await expectProblem(await send(key, 'one', parts), 422, 'IDEMPOTENCY_KEY_REUSED')
})

test('what a file ends with and what the next part begins with are told apart', async () => {
  const inFile = [title, { ...file, value: 'a["note","hot"]\n' }]
  const inPart = [title, { ...file, value: 'a' }, { name: 'note', value: 'hot' }]
  await expectJson(await send('apart', 'one', inFile), 201)
  await expectProblem(await send('apart', 'one', inPart), 422, 'IDEMPOTENCY_KEY_REUSED')
})

test('a simple form is known by its bytes', async () => {
  const submit = (body: string) =>
    alice('/uploads', {
      body,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Idempotency-Key': 'simple' },
    })
  const first = await expectJson(await submit('title=Green+Tea'), 201)
  expect(await expectJson(await submit('title=Green+Tea'), 201)).toEqual(first)
  await expectProblem(await submit('title=Green%20Tea'), 422, 'IDEMPOTENCY_KEY_REUSED')
})

test('a request without a body has a fingerprint too, and a long answer is replayed to the letter', async () => {
  const ask = () => alice('/act', { method: 'POST', headers: { 'Idempotency-Key': 'long' } })
  const [first, again] = [await ask(), await ask()]
  const text = await first.text()
  expect(JSON.parse(text).text).toBe(long)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(await again.text()).toBe(text)
})

test.each(['multipart/form-data', 'multipart/form-data; boundary=one', 'multipart/mixed; boundary=""'])(
  'a body that is none, sent as %s where the route takes none, is known by its bytes',
  async (type) => {
    const ask = (body: string) =>
      alice('/act', { body, headers: { 'Content-Type': type, 'Idempotency-Key': `none-${type.length}` } })
    const first = await expectJson(await ask('--one\r\nrubbish'))
    expect(await expectJson(await ask('--one\r\nrubbish'))).toEqual(first)
    await expectProblem(await ask('--one\r\nrubble'), 422, 'IDEMPOTENCY_KEY_REUSED')
  },
)

test('a long answer is replayed compressed to whoever takes gzip, and plain to others', async () => {
  const ask = (encoding: string) =>
    alice('/act', { method: 'POST', headers: { 'Idempotency-Key': 'gzip', 'Accept-Encoding': encoding } })
  const [first, again, plain] = [await ask('gzip'), await ask('gzip'), await ask('identity')]
  for (const answer of [first, again]) {
    expect(answer.headers.get('content-encoding')).toBe('gzip')
    expect(Number(answer.headers.get('content-length'))).toBeLessThan(1000)
    expect(answer.headers.get('etag')).toBe('W/"7"')
    expect(answer.headers.get('vary')).toBe('Accept-Encoding')
  }
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(plain.headers.get('content-encoding')).toBeNull()
  expect(plain.headers.get('etag')).toBe('"7"')
  const text = await unzipped(first)
  expect(JSON.parse(text).text).toBe(long)
  expect(await unzipped(again)).toBe(text)
  expect(await plain.text()).toBe(text)
})

function unzipped(response: Response): Promise<string> {
  return new Response(response.body?.pipeThrough(new DecompressionStream('gzip'))).text()
}
