import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { type Handler, handle, json, type RouteDefinition } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const Part = z.object({ name: z.string() })
const Strict = z.strictObject({ name: z.string(), inner: z.strictObject({ name: z.string() }).optional() })
const Reply = z.object({
  strict: Strict.optional(),
  id: z.int(),
  part: Part.optional(),
  parts: z.array(Part).optional(),
  byName: z.record(z.string(), Part).optional(),
  either: z
    .union([
      z.object({ kind: z.literal('a'), a: z.string() }),
      z.object({ kind: z.literal('b'), b: z.int() }),
    ])
    .optional(),
  pair: z.tuple([z.string(), Part]).optional(),
  open: z.looseObject({ name: z.string() }).optional(),
  any: z.unknown().optional(),
})
const thing = {
  method: 'get',
  path: '/thing',
  operationId: 'getThing',
  summary: 'Show a thing',
  security: 'public',
  responses: { 200: json('The thing', Reply), 201: json('A new one', Part), 204: { description: 'Nothing' } },
} as const satisfies RouteDefinition

const unknownKeys: [place: string, reply: object, stripped: object][] = [
  ['secret', { id: 1, secret: 'x' }, { id: 1 }],
  ['constructor', { id: 1, constructor: 'what every object has' }, { id: 1 }],
  ['part.secret', { id: 1, part: { name: 'p', secret: 'x' } }, { id: 1, part: { name: 'p' } }],
  [
    'parts.1.secret',
    { id: 1, parts: [{ name: 'p' }, { name: 'q', secret: 'x' }] },
    { id: 1, parts: [{ name: 'p' }, { name: 'q' }] },
  ],
  [
    'byName.k.secret',
    { id: 1, byName: { k: { name: 'p', secret: 'x' } } },
    { id: 1, byName: { k: { name: 'p' } } },
  ],
  [
    'either.secret',
    { id: 1, either: { kind: 'b', b: 1, secret: 'x' } },
    { id: 1, either: { kind: 'b', b: 1 } },
  ],
  [
    'pair.1.secret',
    { id: 1, pair: ['x', { name: 'p', secret: 'x' }] },
    { id: 1, pair: ['x', { name: 'p' }] },
  ],
]

test.each(unknownKeys)(
  'REPLY_CHECK=strip drops a key that the schema does not name: %s',
  async (_place, reply, stripped) => {
    expect(await expectJson(await answer('strip', (c) => c.json(reply as never, 200)))).toEqual(stripped)
  },
)

test.each(unknownKeys)(
  'REPLY_CHECK=fail makes such a key a 500 that the log explains: %s',
  async (place, reply) => {
    const { api, lines } = await serve('fail', (c) => c.json(reply as never, 200))
    await expectProblem(await api('/thing'), 500, 'INTERNAL')
    expectLogged(lines, `getThing responded with 200 and a key that its schema does not have: ${place}`)
  },
)

test.each(['strip', 'fail'] as const)('with REPLY_CHECK=%s, what a schema lets pass passes', async (mode) => {
  const reply = {
    id: 1,
    open: { name: 'x', more: { deep: [1] } },
    any: { thing: true },
    byName: {},
    parts: [],
  }
  expect(await expectJson(await answer(mode, (c) => c.json(reply as never, 200)))).toEqual(reply)
  const absent = { id: 1, part: undefined, secret: undefined }
  expect(await expectJson(await answer(mode, (c) => c.json(absent as never, 200)))).toEqual({ id: 1 })
})

test('a strict object, as a request and a reply may share it, is stripped as well; else it is a 500', async () => {
  const reply = { id: 1, strict: { name: 'x', secret: 1, inner: { name: 'y', secret: 2, other: 3 } } }
  const stripped = await answer('strip', (c) => c.json(reply as never, 200))
  expect(await expectJson(stripped)).toEqual({ id: 1, strict: { name: 'x', inner: { name: 'y' } } })
  expect(reply.strict.secret).toBe(1)
  await expectProblem(await answer('fail', (c) => c.json(reply as never, 200)), 500, 'INTERNAL')
  const wrong = { id: 1, strict: { name: 7, secret: 1 } }
  await expectProblem(await answer('strip', (c) => c.json(wrong as never, 200)), 500, 'INTERNAL')
})

test.each([
  ['development', 500],
  ['staging', 500],
  ['live', 200],
])('unset, it is for ENVIRONMENT to say: in %s a key too many is a %i', async (ENVIRONMENT, status) => {
  const features = [featureOf(handle(thing, (c) => c.json({ id: 1, secret: 'x' } as never, 200)))]
  const { api } = await testService({ databaseUrl: noDatabase, features, environment: { ENVIRONMENT } })
  expect((await api('/thing')).status).toBe(status)
})

const mismatches: [place: string, reply: unknown][] = [
  ['id', { id: 'hunter2' }],
  ['id', {}],
  ['part.name', { id: 1, part: { name: 7_777_777 } }],
  ['parts.0.name', { id: 1, parts: [{}] }],
  ['parts', { id: 1, parts: 'hunter2' }],
  ['byName.k.name', { id: 1, byName: { k: { name: null } } }],
  ['either', { id: 1, either: { kind: 'hunter2' } }],
  ['the top level', null],
  ['the top level', 'hunter2'],
  ['the top level', [{ id: 1 }]],
]

test.each(mismatches)(
  'another mismatch is a 500 in both, and the log names the place, not the value: %s',
  async (place, reply) => {
    for (const mode of ['strip', 'fail'] as const) {
      const { api, lines } = await serve(mode, (c) => c.json(reply as never, 200))
      const problem = await expectProblem(await api('/thing'), 500, 'INTERNAL')
      expectLogged(lines, `getThing responded with 200 and a body that does not fit its schema: ${place}:`)
      expect(JSON.stringify([problem, lines])).not.toMatch(/hunter2|7777777/)
    }
  },
)

const undeclared: [name: string, handler: ThingHandler, complaint: string][] = [
  [
    'a status',
    (c) => c.json({ name: 'x' } as never, 202 as never),
    'responded with 202, which its route does not declare',
  ],
  ['an error status', (c) => c.json({ name: 'x' } as never, 404 as never), 'responded with 404, which'],
  [
    'a status without a body',
    (c) => c.body(null, 304 as never),
    'responded with 304, which its route does not declare',
  ],
  [
    'JSON where nothing is stated',
    (c) => c.json({} as never, 204 as never),
    'responded with 204 and application/json, which',
  ],
  [
    'text for JSON',
    (c) => c.text('hunter2', 200) as never,
    'responded with 200 and text/plain, which its route does not declare',
  ],
  ['HTML for JSON', (c) => c.html('hunter2', 201) as never, 'responded with 201 and text/html, which'],
  [
    'a body of no type for JSON',
    () => new Response(new Uint8Array(3)) as never,
    'responded with 200 and application/octet-stream, which',
  ],
  ['no body for JSON', (c) => c.body(null, 200) as never, 'responded with 200 and no content type, which'],
  [
    'a content type where nothing is stated',
    () => new Response(null, { status: 204, headers: { 'Content-Type': 'text/csv' } }) as never,
    'responded with 204 and text/csv, which',
  ],
]

test.each(undeclared)(
  '%s that the route does not state is a 500 in both',
  async (_name, handler, complaint) => {
    for (const mode of ['strip', 'fail'] as const) {
      const { api, lines } = await serve(mode, handler)
      await expectProblem(await api('/thing'), 500, 'INTERNAL')
      expectLogged(lines, `getThing ${complaint}`)
      expect(JSON.stringify(lines)).not.toContain('hunter2')
    }
  },
)

const asJson = { 'Content-Type': 'application/json; charset=utf-8', 'X-Mine': 'yes' }
const otherWays: [name: string, make: (body: unknown) => ThingHandler][] = [
  ['c.body', (body) => (c) => c.body(JSON.stringify(body), 200, asJson) as never],
  ['new Response', (body) => () => new Response(JSON.stringify(body), { headers: asJson }) as never],
  ['Response.json', (body) => () => Response.json(body, { headers: { 'X-Mine': 'yes' } }) as never],
]

test.each(otherWays)('JSON that was made by %s is checked as well', async (_name, make) => {
  const stripped = await answer('strip', make({ id: 1, secret: 'x' }))
  expect(stripped.headers.get('x-mine')).toBe('yes')
  expect(await stripped.json()).toEqual({ id: 1 })
  await expectProblem(await answer('fail', make({ id: 1, secret: 'x' })), 500, 'INTERNAL')
  await expectProblem(await answer('strip', make({ id: 'x' })), 500, 'INTERNAL')
})

test('JSON that is none is a 500, and none of it is in the log', async () => {
  const { api, lines } = await serve('strip', (c) => c.body('{"password":hunter2', 200, asJson) as never)
  await expectProblem(await api('/thing'), 500, 'INTERNAL')
  expectLogged(lines, 'getThing responded with 200 and a body that is not JSON')
  expect(JSON.stringify(lines)).not.toContain('hunter2')
})

test('a zod error that a handler throws is a 500, never the caller’s fault', async () => {
  await expectProblem(await answer('fail', () => void z.string().parse(7) as never), 500, 'INTERNAL')
})

test('a status without a body passes', async () => {
  const nothing = await answer('fail', (c) => c.body(null, 204))
  expect(nothing.status).toBe(204)
  expect(await nothing.text()).toBe('')
})

type ThingHandler = Handler<typeof thing>

function serve(mode: 'strip' | 'fail', handler: ThingHandler) {
  const features = [featureOf(handle(thing, handler))]
  return testService({ databaseUrl: noDatabase, features, environment: { REPLY_CHECK: mode } })
}

async function answer(mode: 'strip' | 'fail', handler: ThingHandler): Promise<Response> {
  return (await serve(mode, handler)).api('/thing')
}

function expectLogged(lines: readonly Record<string, unknown>[], text: string): void {
  const logged = lines.filter(({ severity }) => severity === 'ERROR').map((line) => String(line.stack_trace))
  expect(logged.join('\n')).toContain(text)
}
