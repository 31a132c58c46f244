import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testService } from '#test/support/service.ts'

const service = await testService()
const alice = await service.as('alice', ['orders:read', 'orders:write'])
const numRuns = 300

/** Asks, and expects an answer that blames nobody but the caller. */
async function ask(...[path, request]: Parameters<typeof alice>): Promise<number> {
  const answer = await alice(path, request)
  const body = await answer.text()
  const type = answer.status < 400 ? 'application/json' : 'application/problem+json'
  expect({ status: answer.status, body }).toEqual({
    status: expect.toBeOneOf([200, 201, 400, 404, 412, 415]),
    body,
  })
  expect(answer.headers.get('content-type')).toBe(type)
  expect(JSON.parse(body)).toEqual(expect.any(Object))
  return answer.status
}

// every character, NUL and lone surrogates too
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
)
const number = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer(), fc.double())
const anything = fc.oneof(anyText, number, fc.jsonValue(), fc.constant(null))
const order = fc.record({ item: anyText, quantity: number }, { requiredKeys: [] })
const odd = fc.tuple(
  order,
  fc.dictionary(fc.oneof(anyText, fc.constantFrom('__proto__', 'id', 'item')), anything),
)

const json = fc.oneof(
  fc
    .record({ item: fc.string({ minLength: 1 }), quantity: fc.integer({ min: 1, max: 1000 }) })
    .map((o) => JSON.stringify(o)),
  order.map((value) => JSON.stringify(value)),
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

test('no body makes POST /orders fail', async () => {
  const seen = new Set<number>()
  await fc.assert(
    fc.asyncProperty(body, type, async (body, type) => {
      seen.add(await ask('/orders', { method: 'POST', body, headers: { 'Content-Type': type } }))
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
  fc.constantFrom('placed', 'fulfilled', 'cancelled', '10'),
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

test('no query makes GET /orders fail', async () => {
  const seen = new Set<number>()
  await fc.assert(
    fc.asyncProperty(query, async (query) => {
      seen.add(await ask(`/orders?${query}`))
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

test('no id and no precondition make reading and cancelling fail', async () => {
  await fc.assert(
    fc.asyncProperty(id, tag, fc.boolean(), async (id, tag, cancel) => {
      const headers = { 'If-Match': tag, 'If-None-Match': tag }
      await ask(`/orders/${id}${cancel ? '/cancel' : ''}`, { method: cancel ? 'POST' : 'GET', headers })
    }),
    { numRuns },
  )
})
