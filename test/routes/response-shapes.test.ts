import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import { defineRoute, type Handler, handle, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { logged, serveThing, showThing, Thing } from '#test/support/thing.ts'

const content = { 'application/json': { schema: Thing } }

const ranges = defineRoute({
  ...showThing,
  responses: {
    200: json('The thing', Thing),
    '2XX': {
      description: 'Another',
      content: { 'application/json': { schema: z.object({ more: z.string() }) } },
    },
    '4xx': { description: 'Not it' },
    default: { description: 'Whatever', content: { 'text/plain': { schema: z.string() } } },
  },
})

const inRanges: [name: string, handler: Handler<typeof ranges>, status: number, body: string][] = [
  ['the status itself', (c) => c.json({ name: 'x' }, 200), 200, '{"name":"x"}'],
  ['its range', (c) => c.json({ more: 'x' }, 202), 202, '{"more":"x"}'],
  ['its range in small letters', (c) => c.body(null, 404) as never, 404, ''],
  ['default', (c) => c.text('x', 503), 503, 'x'],
]

test.each(inRanges)('what is stated for %s is what goes out', async (_name, handler, status, body) => {
  const { api } = await serveThing('fail', handle(ranges, handler))
  const response = await api('/thing')
  expect([response.status, await response.text()]).toEqual([status, body])
})

test.each<[name: string, handler: Handler<typeof ranges>, complaint: string]>([
  [
    'the range’s schema at its own status',
    (c) => c.json({ more: 'x' } as never, 200),
    'does not fit its schema: name',
  ],
  [
    'its own schema in the range',
    (c) => c.json({ name: 'x' } as never, 201),
    'does not fit its schema: more',
  ],
  [
    'a body where the range has none',
    (c) => c.text('x', 404) as never,
    'responded with 404 and text/plain, which',
  ],
  [
    'another type than default',
    (c) => c.json({} as never, 503 as never),
    'responded with 503 and application/json, which',
  ],
])('%s is a 500', async (_name, handler, complaint) => {
  const { api, lines } = await serveThing('fail', handle(ranges, handler))
  await expectProblem(await api('/thing'), 500, 'INTERNAL')
  expect(logged(lines, 'ERROR')).toContain(complaint)
})

const types = defineRoute({
  ...showThing,
  responses: {
    200: {
      description: 'The thing',
      content: {
        'application/hal+json': { schema: z.object({ _links: z.object({ self: z.string() }) }) },
        'Text/CSV; charset=utf-8': {},
        'application/vnd.thing+json;version=2': { schema: Thing },
      },
    },
  },
})

test('c.json writes the JSON type that is stated, or that it is given; each is checked by its own schema', async () => {
  const { api } = await serveThing(
    'fail',
    handle(types, (c) => c.json({ _links: { self: '/thing' } }, 200)),
  )
  const response = await api('/thing')
  expect(response.headers.get('content-type')).toBe('application/hal+json')
  expect(await response.json()).toEqual({ _links: { self: '/thing' } })
  const type = 'application/vnd.thing+json; version=2'
  const other = await serveThing(
    'fail',
    handle(types, (c) => c.json({ name: 'x' } as never, 200, { 'content-type': type })),
  )
  expect((await other.api('/thing')).headers.get('content-type')).toBe(type)
  const wrong = await serveThing(
    'fail',
    handle(types, (c) => c.json({ name: 'x' } as never, 200)),
  )
  await expectProblem(await wrong.api('/thing'), 500, 'INTERNAL')
})

test('a type without a schema passes as it is; HEAD may leave the body out', async () => {
  const csv = await serveThing(
    'fail',
    handle(types, (c) => c.body('a,b', 200, { 'Content-Type': 'text/csv' })),
  )
  expect(await (await csv.api('/thing')).text()).toBe('a,b')
  const none = await serveThing(
    'fail',
    handle(types, (c) => c.body(null, 200) as never),
  )
  expect((await none.api('/thing', { method: 'HEAD' })).status).toBe(200)
  await expectProblem(await none.api('/thing'), 500, 'INTERNAL')
})

test('a body that is read back loses the encoding that it came with, as a response of fetch has it', async () => {
  const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip', 'Content-Length': '9' }
  const { api } = await serveThing(
    'fail',
    handle({ ...showThing, responses: { 200: json('The thing', Thing) } }, () => {
      return new Response('{"name":"x"}', { headers }) as never
    }),
  )
  const response = await api('/thing')
  expect(response.headers.get('content-encoding')).toBeNull()
  expect(response.headers.get('content-length')).toBe('12')
  expect(await expectJson(response)).toEqual({ name: 'x' })
})

const optional = { description: 'Where more is', required: false, schema: { type: 'string' as const } }
const tagged = defineRoute({
  ...showThing,
  responses: {
    200: json('The thing', Thing, { ETag: 'Its version', 'Next-Page': optional }),
    201: {
      description: 'A new one',
      content,
      headers: z.object({ 'X-Made-By': z.string(), 'X-Cost': z.string().optional() }),
    },
  },
})

const withoutHeaders: [name: string, handler: Handler<typeof tagged>, header: string][] = [
  ['c.json', (c) => c.json({ name: 'x' }, 200), 'etag'],
  ['c.json and another header', (c) => c.json({ name: 'x' }, 200, { 'Next-Page': '2' }), 'etag'],
  [
    'c.header of another',
    (c) => {
      c.header('Next-Page', '2')
      return c.json({ name: 'x' }, 200)
    },
    'etag',
  ],
  ['a response of its own', () => Response.json({ name: 'x' }) as never, 'etag'],
  ['a schema of headers', (c) => c.json({ name: 'x' }, 201, { 'X-Cost': '1' }), 'x-made-by'],
]

test.each(withoutHeaders)(
  '%s without a stated header is a 500, or a warning live',
  async (_name, handler, header) => {
    const message = `without the header ${header}, which its route declares`
    const strict = await serveThing('fail', handle(tagged, handler))
    await expectProblem(await strict.api('/thing'), 500, 'INTERNAL')
    expect(logged(strict.lines, 'ERROR')).toContain(message)
    const live = await serveThing('strip', handle(tagged, handler))
    expect((await live.api('/thing')).ok).toBe(true)
    expect(logged(live.lines, 'WARNING')).toContain(message)
  },
)

test.each<[name: string, handler: Handler<typeof tagged>]>([
  ['c.json', (c) => c.json({ name: 'x' }, 200, { etag: '"1"', 'X-Free': '1' })],
  ['c.json with an init', (c) => c.json({ name: 'x' }, { status: 200, headers: { eTag: '"1"' } }) as never],
  [
    'c.header',
    (c) => {
      c.header('ETag', '"1"')
      return c.json({ name: 'x' }, 200)
    },
  ],
  ['a response of its own', () => Response.json({ name: 'x' }, { headers: { ETag: '"1"' } }) as never],
])('%s with the stated header passes, and warns of nothing', async (_name, handler) => {
  for (const mode of ['fail', 'strip'] as const) {
    const { api, lines } = await serveThing(mode, handle(tagged, handler))
    const response = await api('/thing')
    expect(response.headers.get('etag')).toBe('"1"')
    expect(await expectJson(response)).toEqual({ name: 'x' })
    expect(logged(lines, 'WARNING')).toBe('')
  }
})

const priced = defineRoute({
  ...showThing,
  responses: {
    200: {
      description: 'The thing',
      content,
      headers: z.object({
        'X-Cost': z.int().min(0),
        'X-Until': z.iso.datetime().optional(),
        'X-State': z.enum(['new', 'used']).optional(),
      }),
    },
  },
})
const pricedIn: [way: string, make: (headers: Record<string, string>) => Handler<typeof priced>][] = [
  ['c.json', (headers) => (c) => c.json({ name: 'x' }, 200, headers)],
  [
    'c.header',
    (headers) => (c) => {
      for (const [name, value] of Object.entries(headers)) c.header(name, value)
      return c.json({ name: 'x' }, 200)
    },
  ],
  ['a response of its own', (headers) => () => Response.json({ name: 'x' }, { headers }) as never],
]

describe.each(pricedIn)('a stated header by %s', (_way, make) => {
  test.each<[Record<string, string>, string]>([
    [{ 'x-cost': 'hunter2' }, 'x-cost: Invalid input: expected number'],
    [{ 'X-Cost': '-1' }, 'x-cost: Too small'],
    [{ 'X-Cost': '1', 'X-Until': 'hunter2' }, 'x-until: Invalid ISO datetime'],
    [{ 'X-Cost': '1', 'X-State': 'hunter2' }, 'x-state: Invalid option'],
  ])(
    'that does not fit its schema is a 500 without the value, or a warning live: %j',
    async (headers, why) => {
      const message = `getThing responded with 200 and a header that does not fit its schema: ${why}`
      const strict = await serveThing('fail', handle(priced, make(headers)))
      await expectProblem(await strict.api('/thing'), 500, 'INTERNAL')
      expect(logged(strict.lines, 'ERROR')).toContain(message)
      expect(JSON.stringify(strict.lines)).not.toContain('hunter2')
      const live = await serveThing('strip', handle(priced, make(headers)))
      expect((await live.api('/thing')).ok).toBe(true)
      expect(logged(live.lines, 'WARNING')).toContain(message)
    },
  )

  test('that fits goes out', async () => {
    const headers = { 'X-Cost': '0', 'X-Until': '2026-11-28T12:00:00Z', 'X-State': 'new' }
    const { api, lines } = await serveThing('fail', handle(priced, make(headers)))
    expect(await expectJson(await api('/thing'))).toEqual({ name: 'x' })
    expect(logged(lines, 'WARNING')).toBe('')
  })
})
