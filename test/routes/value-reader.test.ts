import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

// A parameter and a field of a form are text. What their schema takes as a number or a boolean is read as JSON writes it.

const shape = {
  int: z.int().min(-5).max(100).optional(),
  number: z.number().optional(),
  flag: z.boolean().default(false),
  level: z.literal([1, 2]).optional(),
  none: z.int().nullable().optional(),
  either: z.union([z.int(), z.literal('all')]).optional(),
  text: z.string().optional(),
  both: z.union([z.string().max(1), z.number()]).optional(),
  list: z.array(z.int()).optional(),
  flags: z.array(z.boolean()).min(1).readonly().optional(),
  doubled: z
    .int()
    .transform((n) => n * 2)
    .optional(),
}
const Values = z.strictObject(shape)
const security = 'public'
const responses = { 200: json('What came', z.looseObject({})) }
const byQuery = defineRoute({
  ...{ method: 'get', path: '/query', operationId: 'byQuery', summary: 'By a query', security, responses },
  request: { query: Values },
} as const)
const byForm = defineRoute({
  ...{ method: 'post', path: '/form', operationId: 'byForm', summary: 'By a form', security, responses },
  request: {
    body: {
      required: true,
      content: {
        'application/x-www-form-urlencoded': { schema: Values },
        'multipart/form-data': { schema: Values },
      },
    },
  },
} as const)
const elsewhere = defineRoute({
  ...{ method: 'get', path: '/at/{page}', operationId: 'at', summary: 'Elsewhere', security, responses },
  request: {
    params: z.object({ page: z.int() }),
    headers: z.object({ 'x-size': z.number().optional() }),
    cookies: z.object({ dark: z.boolean().optional() }),
  },
} as const)
const { api } = await testService({
  databaseUrl: noDatabase,
  features: [
    featureOf(
      handle(byQuery, (c) => c.json(c.req.valid('query') as never, 200)),
      handle(byForm, (c) => c.json(c.req.valid('form') as never, 200)),
      handle(elsewhere, (c) =>
        c.json({ ...c.req.valid('param'), ...c.req.valid('header'), ...c.req.valid('cookie') } as never, 200),
      ),
    ),
  ],
})

const ways = {
  'a query': (text: string) => api(`/query?${text}`),
  'a form': (text: string) =>
    api('/form', { body: text, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
  'a form of parts': (text: string) => {
    const body = new FormData()
    for (const [name, value] of new URLSearchParams(text)) body.append(name, value)
    return api('/form', { body })
  },
}

test.each(
  Object.entries(ways).flatMap(([way, send]) => [
    [way, 'int=5', { int: 5 }, send] as const,
    [way, 'int=-0', { int: 0 }, send] as const,
    [way, 'int=1e2', { int: 100 }, send] as const,
    [way, 'number=-0.25', { number: -0.25 }, send] as const,
    [way, 'flag=true', { flag: true }, send] as const,
    [way, 'level=2', { level: 2 }, send] as const,
    [way, 'none=null', { none: null }, send] as const,
    [way, 'either=7', { either: 7 }, send] as const,
    [way, 'either=all', { either: 'all' }, send] as const,
    [way, 'text=5', { text: '5' }, send] as const,
    [way, 'text=true', { text: 'true' }, send] as const,
    [way, 'both=5', { both: '5' }, send] as const,
    [way, 'both=55', { both: 55 }, send] as const,
    [way, 'list=1&list=2', { list: [1, 2] }, send] as const,
    [way, 'flags=false', { flags: [false] }, send] as const,
    [way, 'doubled=4', { doubled: 8 }, send] as const,
  ]),
)('%s of %s is read', async (_way, text, values, send) => {
  expect(await expectJson(await send(text))).toEqual({ flag: false, ...values })
})

test.each(
  [
    '',
    '%205',
    '5%20',
    '05',
    '%2B5',
    '0x10',
    '1_0',
    '5.',
    '.5',
    '5n',
    'Infinity',
    'NaN',
    '1e400',
    '١',
    'true',
    '1.5',
    '101',
    'null',
  ].flatMap((text) => Object.entries(ways).map(([way, send]) => [way, text, send] as const)),
)('%s refuses %j for a whole number', async (_way, text, send) => {
  await expectProblem(await send(`int=${text}`), 400, 'VALIDATION_FAILED')
})

test.each(['1', 'TRUE', 'yes', '', 'false%20'])('%j is no boolean', async (text) => {
  await expectProblem(await ways['a query'](`flag=${text}`), 400, 'VALIDATION_FAILED')
})

test('a whole number that no double holds is refused rather than rounded', async () => {
  await expectProblem(await ways['a query']('list=9007199254740993'), 400, 'VALIDATION_FAILED')
  expect(await expectJson(await ways['a query']('list=9007199254740991'))).toMatchObject({
    list: [Number.MAX_SAFE_INTEGER],
  })
})

test('so are paths, headers and cookies', async () => {
  const headers = { 'X-Size': '2.5', Cookie: 'dark=true' }
  expect(await expectJson(await api('/at/3', { headers }))).toEqual({ page: 3, 'x-size': 2.5, dark: true })
  await expectProblem(await api('/at/3.5', { headers }), 400, 'VALIDATION_FAILED')
  await expectProblem(await api('/at/3', { headers: { 'X-Size': '0x1' } }), 400, 'VALIDATION_FAILED')
  await expectProblem(await api('/at/3', { headers: { Cookie: 'dark=1' } }), 400, 'VALIDATION_FAILED')
})
