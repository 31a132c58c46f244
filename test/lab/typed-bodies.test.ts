import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { expectJson, expectProblem, type Json } from '#test/kit'
import { sharedLab } from './lab.ts'

const lab = sharedLab()

/** The response to a request of these characters, each a byte. */
async function raw(request: string): Promise<{ status: number; body: Json }> {
  const connection = lab.process.dial().send(request)
  let response = await connection.answer()
  if (response.status === 100) response = await connection.answer()
  return { status: response.status, body: JSON.parse(response.body) as Json }
}

const head = (path: string, ...headers: string[]) =>
  ['POST', ` ${path} HTTP/1.1\r\n`, ...['Host: a', ...headers].map((header) => `${header}\r\n`), '\r\n'].join(
    '',
  )
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
const json = 'Content-Type: application/json'
const chunked = 'Transfer-Encoding: chunked'

describe('a body that is not required', () => {
  const none = { json: null, form: null }

  test.each([
    ['no length', []],
    ['the length 0', ['Content-Length: 0']],
    ['the length 0 and a type', ['Content-Length: 0', json]],
    ['a type alone', [json]],
    ['a type that is not taken', [`Content-Type: text/plain`]],
    ['a form’s type', ['Content-Type: application/x-www-form-urlencoded']],
  ])('is undefined with %s', async (_what, headers) => {
    expect(await raw(head('/notes/optional', ...headers))).toEqual({ status: 200, body: none })
  })

  test.each([
    ['without a type', [chunked]],
    ['with one', [chunked, json]],
  ])('is undefined when it comes in no chunks, %s', async (_what, headers) => {
    expect(await raw(`${head('/notes/optional', ...headers)}0\r\n\r\n`)).toEqual({ status: 200, body: none })
  })

  test('is checked when it is there', async () => {
    expect(await expectJson(await lab.api('/notes/optional', { json: { title: 'Tea' } }))).toEqual({
      ...none,
      json: 'Tea',
    })
    const form = await lab.api('/notes/optional', { body: new URLSearchParams({ title: 'Tea' }) })
    expect(await expectJson(form)).toEqual({ ...none, form: 'Tea' })
    await expectProblem(await lab.api('/notes/optional', { json: {} }), 400, 'VALIDATION_FAILED')
    const text = await lab.api('/notes/optional', { body: 'x', headers: { 'Content-Type': 'text/plain' } })
    await expectProblem(text, 415, 'UNSUPPORTED_MEDIA_TYPE')
    const untyped = await raw(`${head('/notes/optional', 'Content-Length: 2')}{}`)
    expect(untyped).toMatchObject({ status: 415 })
  })
})

describe('a body that is required', () => {
  test('is a 415 without a type, and no JSON without bytes', async () => {
    await expectProblem(await lab.api('/values/few', { method: 'POST' }), 415, 'UNSUPPORTED_MEDIA_TYPE')
    expect(await raw(head('/values/few', json, 'Content-Length: 0'))).toMatchObject({
      status: 400,
      body: { code: 'MALFORMED_REQUEST' },
    })
  })

  test('comes with a DELETE as well', async () => {
    const response = await lab.api('/notes/listed', { method: 'DELETE', json: { ids: [1, 2] } })
    expect(await expectJson(response)).toEqual({ ids: [1, 2] })
  })
})

describe('JSON of another kind is taken where it is stated', () => {
  const send = (path: string, type: string) =>
    lab.api(path, { method: 'PATCH', body: '{"title":null}', headers: { 'Content-Type': type } })

  test('so it is', async () => {
    expect(
      await expectJson(await send('/notes/patched', 'application/merge-patch+json; charset=utf-8')),
    ).toEqual({
      title: null,
    })
  })

  test.each(['application/json', 'application/json-patch+json', 'application/vnd.api+json'])(
    '%s is not',
    async (type) => {
      const response = await send('/notes/patched', type)
      expect(response.headers.get('accept')).toBe('application/merge-patch+json')
      expect(response.headers.get('accept-patch')).toBe('application/merge-patch+json')
      await expectProblem(response, 415, 'UNSUPPORTED_MEDIA_TYPE')
    },
  )

  test('a 415 to a Content-Encoding says that none is taken', async () => {
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }
    const response = await lab.api('/values/few', { body: '[]', headers })
    expect([response.headers.get('accept-encoding'), response.headers.get('accept')]).toEqual([
      'identity',
      null,
    ])
    await expectProblem(response, 415, 'UNSUPPORTED_MEDIA_TYPE')
  })
})

describe('bytes', () => {
  const type = { 'Content-Type': 'application/octet-stream' }

  test.each([0, 1, 100_000, 4 * 1024 * 1024])('%i come back as they were sent', async (size) => {
    const bytes = randomBytes(size)
    const response = await lab.api('/blobs/echo', { body: bytes, headers: type })
    expect(response.status).toBe(200)
    expect(bytes.equals(await response.bytes())).toBe(true)
  })

  test('come in chunks, with trailers', async () => {
    const request = `${head('/blobs/echo', 'Content-Type: application/octet-stream', chunked, 'Trailer: X-Sum')}${chunk('ab\0')}${chunk('\xff')}0\r\nX-Sum: 4\r\n\r\n`
    const response = await lab.process.dial().send(request).answer()
    expect([response.status, response.body]).toEqual([200, 'ab\0\xff'])
  })

  test('are bounded by the route', async () => {
    const response = await lab.api('/blobs/echo', {
      body: new Uint8Array(5 * 1024 * 1024 + 1),
      headers: type,
    })
    await expectProblem(response, 413, 'BODY_TOO_LARGE')
  })

  const put = (path: string, type: string, body: string | Uint8Array<ArrayBuffer>) =>
    lab.api(path, { method: 'PUT', body, headers: { 'Content-Type': type } })

  test.each([
    ['/blobs/image', 'image/png'],
    ['/blobs/image', 'IMAGE/SVG+XML'],
    ['/blobs/any', 'image/jpeg'],
    ['/blobs/any', 'application/pdf'],
    ['/blobs/any', 'application/json'],
  ])('%s takes %s by its range', async (path, type) => {
    const bytes = randomBytes(10_000)
    expect(await expectJson(await put(path, type, bytes))).toEqual({
      type: type.toLowerCase(),
      size: 10_000,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      text: null,
    })
  })

  test.each(['application/pdf', 'images/png', 'image', 'image/', 'image/*', '*/*', 'video/image'])(
    '%s is no image',
    async (type) => {
      const response = await put('/blobs/image', type, 'x')
      expect(response.headers.get('accept')).toBe('image/*, text/*')
      await expectProblem(response, 415, 'UNSUPPORTED_MEDIA_TYPE')
    },
  )

  test.each(['', 'any', 'any/', '/', '*/*', 'a/b/c', 'text/plain, text/csv'])(
    '%j is no type at all',
    async (type) => {
      const bytes = new TextEncoder().encode('x')
      await expectProblem(await put('/blobs/any', type, bytes), 415, 'UNSUPPORTED_MEDIA_TYPE')
    },
  )

  test('the nearest range has a schema of its own', async () => {
    expect(await expectJson(await put('/blobs/image', 'text/csv', 'a,b'))).toMatchObject({ text: 'a,b' })
    expect(await expectJson(await put('/blobs/any', 'image/png', 'a,b'))).toMatchObject({ text: 'a,b' })
  })

  test('a body that is not required may be missing', async () => {
    const response = await lab.api('/blobs/image', { method: 'PUT' })
    expect(await expectJson(response)).toMatchObject({ size: 0, text: null })
  })
})

describe('a text with a schema', () => {
  const send = (body: string | Uint8Array<ArrayBuffer>, type = 'text/csv') =>
    lab.api('/rows', { body, headers: { 'Content-Type': type } })

  test.each(['text/csv', 'text/csv; header=present', 'Text/CSV; charset="UTF-8"'])(
    'comes as it makes it: %s',
    async (type) => {
      expect(await expectJson(await send('a,b\nc,東', type))).toEqual({
        rows: [
          ['a', 'b'],
          ['c', '東'],
        ],
      })
    },
  )

  test('is checked', async () => {
    const problem = await expectProblem(await send('x'.repeat(101)), 400, 'VALIDATION_FAILED')
    expect(problem.errors).toEqual([{ detail: expect.any(String), in: 'body', pointer: '#' }])
    await expectProblem(await send('a\0b'), 400, 'VALIDATION_FAILED')
  })

  test('is UTF-8', async () => {
    await expectProblem(await send(new Uint8Array([0x61, 0xff])), 400, 'MALFORMED_REQUEST')
    await expectProblem(await send('a', 'text/csv; charset=iso-8859-1'), 415, 'UNSUPPORTED_MEDIA_TYPE')
  })
})

describe('the values of JSON', () => {
  const list = (count: number) => `[${Array.from({ length: count }, () => '1').join(',')}]`

  test.each([
    ['/values/few', 10],
    ['/values/usual', 100_000],
  ])('%s takes %i of them, and no more', async (path, most) => {
    const headers = { 'Content-Type': 'application/json' }
    expect(await expectJson(await lab.api(path, { body: list(most - 1), headers }))).toEqual({
      count: most - 1,
    })
    const problem = await expectProblem(
      await lab.api(path, { body: list(most), headers }),
      400,
      'VALIDATION_FAILED',
    )
    expect(problem.detail).toBe(`The body may hold ${most} values at most: split it into several requests.`)
    await expectProblem(
      await lab.api(path, { body: '['.repeat(most + 1), headers }),
      400,
      'MALFORMED_REQUEST',
    )
  })

  test('are counted in chunks alike, and after 100-continue', async () => {
    const many = `${head('/values/few', json, chunked)}${chunk('[1,2,3')}${chunk(',4,5,6,7,8,9,10]')}0\r\n\r\n`
    expect(await raw(many)).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } })
    const few = `${head('/values/few', json, chunked, 'Expect: 100-continue')}${chunk('[1,')}${chunk('2]')}0\r\n\r\n`
    expect(await raw(few)).toEqual({ status: 200, body: { count: 2 } })
  })

  test('of a large wrong body the first is told', async () => {
    const body = `[${Array.from({ length: 50_000 }, (_, index) => (index < 7 ? '1' : '""')).join(',')}]`
    const response = await lab.api('/values/usual', { body, headers: { 'Content-Type': 'application/json' } })
    const problem = await expectProblem(response, 400, 'VALIDATION_FAILED')
    expect(problem.errors).toEqual([{ detail: expect.any(String), in: 'body', pointer: '#/7' }])
    expect(problem.detail).toBe(
      'The body does not fit the contract. It is large, so the check ended at the first error.',
    )
  })
})
