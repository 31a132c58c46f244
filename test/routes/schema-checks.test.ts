import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { handle, jsonBody, type RouteDefinition } from '#src/runtime/routes/route.ts'
import { expectJson } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const start = (more: object) => {
  const route = {
    method: 'post',
    path: '/things',
    operationId: 'makeThing',
    summary: 'Make',
    security: 'public',
    responses: { 204: { description: 'Made' } },
    ...more,
  } as RouteDefinition
  const features = [featureOf(handle(route, () => new Response()))]
  return testService({ databaseUrl: noDatabase, features })
}
const body = (schema: z.ZodType) => ({ request: { body: jsonBody(z.strictObject({ at: z.array(schema) })) } })
const response = (schema: z.ZodType) => ({
  responses: {
    200: { description: 'It', content: { 'application/json': { schema: z.object({ at: schema }) } } },
  },
})
interface Node {
  next?: Node | undefined
}
const Node: z.ZodType<Node> = z.strictObject({ next: z.lazy(() => Node).optional() })

const refused: [name: string, more: object, complaint: string][] = [
  [
    'z.bigint() in a body',
    body(z.bigint()),
    '(body) at[]: JSON has no bigint. Write z.int(), or z.string().regex(/^-?\\d+$/) and transform it.',
  ],
  [
    'z.int64() in a body',
    body(z.int64()),
    '(body) at[]: JSON has no bigint. Write z.int(), or z.string().regex(/^-?\\d+$/) and transform it.',
  ],
  [
    'z.date() in a body',
    body(z.date()),
    '(body) at[]: JSON has no dates. Write z.iso.datetime(), and transform it where you need a Date.',
  ],
  [
    'z.undefined() in a body',
    body(z.undefined()),
    '(body) at[]: JSON has no undefined. Write .optional() on the schema that may be absent.',
  ],
  ['z.nan() in a body', body(z.nan()), '(body) at[]: JSON has no NaN. Write z.null().'],
  [
    'z.symbol() in a body',
    body(z.symbol()),
    '(body) at[]: JSON has no symbols. Write z.enum() or z.literal().',
  ],
  [
    'z.map() in a body',
    body(z.map(z.string(), z.string())),
    '(body) at[]: JSON has no maps. Write z.record().',
  ],
  ['z.set() in a response', response(z.set(z.string())), '(response) at: JSON has no sets. Write z.array().'],
  [
    'z.bigint() in a response',
    response(z.bigint()),
    '(response) at: JSON has no bigint. Write z.int(), or z.string().regex(/^-?\\d+$/) and transform it.',
  ],
  [
    'z.instanceof(File) in a form',
    {
      request: {
        body: {
          content: { 'multipart/form-data': { schema: z.strictObject({ file: z.instanceof(File) }) } },
        },
      },
    },
    "(body) file: the contract cannot show z.custom() and z.instanceof(). Write file() for a file in a form, or add .openapi({ type: 'string' }).",
  ],
  [
    'z.custom() in a query',
    { request: { query: z.strictObject({ at: z.custom(() => true) }) } },
    "(query parameter at) the top level: the contract cannot show z.custom() and z.instanceof(). Write file() for a file in a form, or add .openapi({ type: 'string' }).",
  ],
  [
    'what a transformation makes, in a response',
    response(z.string().transform(Number)),
    "(response) at: the result of .transform() has no schema. Write .pipe(z.…) after it, or add .openapi({ type: 'string' }).",
  ],
  [
    'a schema that contains itself and has no name',
    body(Node),
    "(body) contains itself without a name. Write .openapi('Name') on that schema.",
  ],
]

test.each(refused)(
  '%s does not start, and the message says what to write',
  async (_name, more, complaint) => {
    await expect(start(more)).rejects.toThrow(new Error(`POST /things ${complaint}`))
  },
)

const lookUp = z.string().refine(async () => true)

test.each([
  ['in a body', body(lookUp), 'at[]'],
  ['in a response', response(lookUp), 'at'],
  ['of a whole query', { request: { query: z.strictObject({}).refine(async () => true) } }, 'the top level'],
  ['as a transformation', body(z.string().transform(async (id) => id)), 'at[]'],
])(
  'a schema that waits, %s, does not start: nothing is checked asynchronously',
  async (_where, more, place) => {
    await expect(start(more)).rejects.toThrow(
      `POST /things has an asynchronous schema (${place}): write its refinement without async`,
    )
  },
)

const shown: [name: string, more: object, schema: object][] = [
  ['z.date() in a response', response(z.date()), { type: 'string', format: 'date-time' }],
  [
    'a transformation that is piped',
    response(z.string().transform(Number).pipe(z.number())),
    { type: 'number' },
  ],
  [
    'a transformation that says its type',
    response(z.string().transform(Number).openapi({ type: 'number' })),
    { type: 'number' },
  ],
  [
    'z.custom() that says its type',
    response(z.custom<string>(() => true).openapi({ type: 'string' })),
    { type: 'string' },
  ],
  ['a default in a response', response(z.string().default('x')), { type: 'string', default: 'x' }],
  ['z.readonly()', response(z.string().readonly()), { type: 'string' }],
  ['literals of two types', response(z.literal(['a', 1])), { enum: ['a', 1] }],
  [
    'a tuple',
    response(z.tuple([z.string()])),
    { type: 'array', prefixItems: [{ type: 'string' }], items: false, minItems: 1, maxItems: 1 },
  ],
]

test.each(shown)('%s is in the contract as it is sent', async (_name, more, schema) => {
  const { api } = await start(more)
  const contract = await expectJson<{
    paths: Record<string, { post: { responses: Record<string, object> } }>
  }>(await api('/openapi.json'))
  expect(contract.paths['/things']?.post.responses['200']).toMatchObject({
    content: { 'application/json': { schema: { properties: { at: schema } } } },
  })
})

test('a named schema that is sent otherwise than it is taken has a second name', async () => {
  const Thing = z.strictObject({ size: z.int().default(1) }).openapi('Thing')
  const Same = z.strictObject({ size: z.int() }).openapi('Same')
  const Box = z.strictObject({ thing: Thing, same: Same }).openapi('Box')
  const { api } = await start({
    request: { body: jsonBody(Box) },
    responses: { 200: { description: 'It', content: { 'application/json': { schema: Box } } } },
  })
  const { components } = await expectJson<{ components: { schemas: Record<string, object> } }>(
    await api('/openapi.json'),
  )
  const { Thing: taken, ThingOutput: sent, BoxOutput, Same: same, ...others } = components.schemas
  expect([taken, sent]).toEqual([
    expect.not.objectContaining({ required: ['size'] }),
    expect.objectContaining({ required: ['size'] }),
  ])
  expect(BoxOutput).toMatchObject({
    properties: {
      thing: { $ref: '#/components/schemas/ThingOutput' },
      same: { $ref: '#/components/schemas/Same' },
    },
  })
  expect(same).toBeDefined()
  expect(Object.keys(others)).not.toContain('SameOutput')
})
