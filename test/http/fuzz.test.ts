import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noteScopes, notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'

const service = await testService({ features: [notes] })
const alice = await service.as('alice', noteScopes)
const numRuns = 300

/** Asks, and expects an answer that blames nobody but the caller. */
async function ask(...[path, request]: Parameters<typeof alice>): Promise<number> {
  const response = await alice(path, request)
  const body = await response.text()
  const type = response.status < 400 ? 'application/json' : 'application/problem+json'
  expect({ status: response.status, body }).toEqual({
    status: expect.toBeOneOf([200, 201, 400, 404, 412, 415]),
    body,
  })
  expect(response.headers.get('content-type')).toBe(type)
  expect(JSON.parse(body)).toEqual(expect.any(Object))
  return response.status
}

// every character, NUL and lone surrogates too
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
)
const number = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer(), fc.double())
const anything = fc.oneof(anyText, number, fc.jsonValue(), fc.constant(null))
const note = fc.record({ text: anyText, pages: number }, { requiredKeys: [] })
const odd = fc.tuple(
  note,
  fc.dictionary(fc.oneof(anyText, fc.constantFrom('__proto__', 'id', 'text')), anything),
)

const json = fc.oneof(
  fc
    .record({ text: fc.string({ minLength: 1 }), pages: fc.integer({ min: 1, max: 1000 }) })
    .map((o) => JSON.stringify(o)),
  note.map((value) => JSON.stringify(value)),
  odd.map(([value, more]) => JSON.stringify({ ...value, ...more })),
  anything.map((value) => JSON.stringify(value)),
  fc
    .tuple(fc.json(), fc.nat(), anyText)
    .map(([text, at, more]) => text.slice(0, at % 50) + more + text.slice(at % 50)),
  anyText,
)
const body = fc.oneof(
  json.map((text) => new Uint8Array(Buffer.from(text))),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => new Uint8Array(bytes)),
)
const type = fc.oneof(
  { weight: 9, arbitrary: fc.constant('application/json') },
  fc.constantFrom('text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''),
)

test('no body makes POST /notes fail', async () => {
  const seen = new Set<number>()
  await fc.assert(
    fc.asyncProperty(body, type, async (body, type) => {
      seen.add(await ask('/notes', { method: 'POST', body, headers: { 'Content-Type': type } }))
    }),
    { numRuns },
  )
  expect([...seen].sort()).toEqual([201, 400, 415])
})

const raw = fc.string({ unit: fc.constantFrom(...'limt=&%+0129aF;?/#[]".é\\ cursor_-') })
const encoded = anyText.map((text) => encodeURIComponent(text.toWellFormed()))
const key = fc.oneof(fc.constantFrom('limit', 'cursor', 'status', '__proto__', 'LIMIT'), encoded)
const value = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom('open', 'closed', '10'),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  encoded,
  raw,
)
const query = fc.oneof(
  raw,
  fc
    .array(
      fc.tuple(key, value).map((pair) => pair.join('=')),
      { maxLength: 4 },
    )
    .map((pairs) => pairs.join('&')),
)

test('no query makes GET /notes fail', async () => {
  const seen = new Set<number>()
  await fc.assert(
    fc.asyncProperty(query, async (query) => {
      seen.add(await ask(`/notes?${query}`))
    }),
    { numRuns },
  )
  expect([...seen].sort()).toEqual([200, 400])
})

const visible = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
})
const id = fc.oneof(
  fc.uuid(),
  encoded.filter((text) => text !== '' && !/^\.+$/.test(text)),
)
const tag = fc.oneof(visible, fc.constantFrom('"1"', 'W/"1"', '*', '"99999999999999999999"', '"1", "2"', '"'))

test('no id and no precondition make reading and closing fail', async () => {
  await fc.assert(
    fc.asyncProperty(id, tag, fc.boolean(), async (id, tag, close) => {
      const headers = { 'If-Match': tag, 'If-None-Match': tag }
      await ask(`/notes/${id}${close ? '/close' : ''}`, { method: close ? 'POST' : 'GET', headers })
    }),
    { numRuns },
  )
})
