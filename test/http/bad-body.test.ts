import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { defineRoute, handle, json, jsonBody } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'

const Anything = z.looseObject({})
const echo = handle(
  defineRoute({
    method: 'post',
    path: '/echo',
    operationId: 'echo',
    summary: 'Answer what was sent',
    security: 'public',
    request: { body: jsonBody(Anything) },
    responses: { 200: json('What was sent', Anything) },
  }),
  async (c) => c.json(c.req.valid('json'), 200),
)
const service = await testService({ databaseUrl: noDatabase, features: [notes, featureOf(echo)] })
const alice = await service.as('alice', ['notes:write'])

/** Sends a body to a route that takes notes; its handler is not reached. */
function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  return alice('/notes', {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/json', ...headers },
  })
}

const utf8 = (...bytes: number[]) =>
  new Uint8Array([...Buffer.from('{"text":"'), ...bytes, ...Buffer.from('"}')])

describe('a body that is no JSON is malformed', () => {
  test.each([
    '',
    ' ',
    '{',
    '{"text":}',
    '{"text":"Tea","pages":2,}',
    "{'text':'Tea'}",
    '{"text":"Tea"}{}',
    '{"text":"a\u0000b"}',
    '{"text":"a\nb"}',
    'undefined',
    'NaN',
    '{"pages":0x10}',
    '{"pages":01}',
    '{"pages":+1}',
    '{"pages":.5}',
    '// comment\n{}',
    '[1,2',
    '"\\x41"',
    '['.repeat(10_000),
    '{"a":'.repeat(10_000),
  ])('%j', async (body) => {
    const problem = await expectProblem(await post(body), 400, 'MALFORMED_REQUEST')
    expect(problem.detail).toMatch(/^The body is not valid JSON in UTF-8( \(at position \d+\))?\.$/)
  })

  test.each([
    ['a byte that begins nothing', utf8(0xff)],
    ['a character cut short', utf8(0xc3)],
    ['an overlong slash', utf8(0xc0, 0xaf)],
    ['a surrogate', utf8(0xed, 0xa0, 0x80)],
    ['a character beyond Unicode', utf8(0xf4, 0x90, 0x80, 0x80)],
    ['UTF-16', new Uint8Array(Buffer.from('{"text":"Tea","pages":2}', 'utf16le'))],
  ])('invalid UTF-8: %s', async (_what, body) => {
    await expectProblem(await post(body), 400, 'MALFORMED_REQUEST')
  })
})

describe('JSON that does not fit the contract is refused with a pointer to the place', () => {
  test.each<[string, string[]]>([
    ['null', ['#']],
    ['[]', ['#']],
    ['"text"', ['#']],
    ['1e400', ['#']],
    ['{}', ['#/pages', '#/text']],
    ['{"text":"","pages":2}', ['#/text']],
    [`{"text":"${'x'.repeat(101)}","pages":2}`, ['#/text']],
    ['{"text":7,"pages":"2"}', ['#/pages', '#/text']],
    ['{"text":"Tea","pages":null}', ['#/pages']],
    ['{"text":"Tea","pages":0}', ['#/pages']],
    ['{"text":"Tea","pages":1001}', ['#/pages']],
    ['{"text":"Tea","pages":1.5}', ['#/pages']],
    ['{"text":"Tea","pages":-0.5}', ['#/pages']],
    ['{"text":"Tea","pages":1e308}', ['#/pages']],
    ['{"text":"Tea","pages":1e999}', ['#/pages']],
    [`{"text":"Tea","pages":${'9'.repeat(10_000)}}`, ['#/pages']],
    ['{"text":"Tea","pages":2,"status":"closed","a/b~c":1}', ['#/a~1b~0c', '#/status']],
    ['{"text":"Tea","pages":2,"ä%\\"":1}', ['#/%C3%A4%25%22']],
    ['{"text":"Tea","pages":2,"__proto__":{"admin":true}}', ['#/__proto__']],
    ['{"text":"Tea","pages":2,"__proto__":1}', ['#/__proto__']],
    ['{"__proto__":{"text":"Tea","pages":2}}', ['#/__proto__']],
    ['{"text":"Tea","pages":2,"constructor":{"prototype":{}}}', ['#/constructor']],
    ['{"text":"Tea","pages":2,"toString":1}', ['#/toString']],
  ])('%s', async (body, pointers) => {
    const problem = await expectProblem(await post(body), 400, 'VALIDATION_FAILED')
    const errors = problem.errors as { in: string; pointer: string; detail: string }[]
    expect([...new Set(errors.map(({ pointer }) => pointer))].sort()).toEqual(pointers)
    for (const { in: place, detail } of errors)
      expect([place, detail]).toEqual(['body', expect.stringMatching(/\w/)])
  })
})

describe('poison in valid JSON is refused, even where the schema takes anything', () => {
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
  const send = (body: string) =>
    service.api('/echo', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })

  test.each([
    ['{"a":"x\\u0000y"}', '#/a'],
    ['{"a":{"b\\u0000":1}}', '#/a/b%00'],
    ['{"a":["\\ud800"]}', '#/a/0'],
    ['{"a":"\\udc00\\ud800"}', '#/a'],
    ['{"\\udfff":1}', '#/%EF%BF%BD'],
    ['{"__proto__":{"a":"\\u0000"}}', '#/__proto__'],
    ['{"a":[{"__proto__":1}]}', '#/a/0/__proto__'],
    ['{"\\u005f_proto__":1}', '#/__proto__'],
    ['{"_\\u005Fproto__":1}', '#/__proto__'],
    ['{"__\\u0070roto__":1}', '#/__proto__'],
    [deep(65), '#'],
    [deep(10_000), '#'],
    [`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, '#'],
  ])('%s', async (body, pointer) => {
    const problem = await expectProblem(await send(body), 400, 'VALIDATION_FAILED')
    expect(problem.errors).toEqual([{ detail: expect.any(String), in: 'body', pointer }])
  })

  test('what is odd but harmless passes', async () => {
    const sent = {
      __typename: '__proto__',
      emoji: '👩‍🚀',
      empty: '',
      zero: -0,
      list: [[], {}],
      é: 'e\u0301',
      '\u202e': '\u007f\u0001',
    }
    expect(await expectJson(await service.api('/echo', { json: sent }))).toEqual({ ...sent, zero: 0 })
    expect((await send(deep(64))).status).toBe(200)
    expect((await send('\uFEFF{"bom":1}')).status).toBe(200)
  })

  test('a key said twice counts as its last', async () => {
    expect(await expectJson(await send('{"a":1,"a":2}'))).toEqual({ a: 2 })
  })

  test('no object of the process is changed by __proto__', async () => {
    await send('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')
    expect({}).not.toHaveProperty('polluted')
  })
})

describe('another content type, or none, is 415', () => {
  test.each([
    ['none', {}],
    ['empty', { 'Content-Type': '' }],
    ['text', { 'Content-Type': 'text/plain' }],
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['a form of parts', { 'Content-Type': 'multipart/form-data; boundary=x' }],
    ['XML', { 'Content-Type': 'application/xml' }],
    ['nearly JSON', { 'Content-Type': 'application/jsonp' }],
    ['JSON said otherwise', { 'Content-Type': 'text/json' }],
    ['JSON of another kind', { 'Content-Type': 'application/merge-patch+json' }],
    ['JSON of a vendor', { 'Content-Type': 'application/vnd.shop.order+json; v=1' }],
    ['JSON lines', { 'Content-Type': 'application/json-seq' }],
    ['two types', { 'Content-Type': 'text/plain, application/json' }],
    ['rubbish', { 'Content-Type': ';;;' }],
    ['UTF-16', { 'Content-Type': 'application/json; charset=utf-16' }],
    ['Latin-1', { 'Content-Type': 'application/json; charset="iso-8859-1"' }],
    ['compressed', { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }],
  ])('%s', async (_what, headers) => {
    const body = new Uint8Array(Buffer.from('{"text":"Tea","pages":2}'))
    const response = await alice('/notes', { method: 'POST', body, headers })
    const problem = await expectProblem(response, 415, 'UNSUPPORTED_MEDIA_TYPE')
    expect(problem.detail).toContain('application/json')
  })

  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; profile="urn:x"',
  ])('%s is taken', async (type) => {
    const response = await service.api('/echo', {
      method: 'POST',
      body: '{}',
      headers: { 'Content-Type': type },
    })
    expect(await expectJson(response)).toEqual({})
  })

  test('no body at all is 415 as well, since the type is missing', async () => {
    await expectProblem(await alice('/notes', { method: 'POST' }), 415, 'UNSUPPORTED_MEDIA_TYPE')
  })
})
