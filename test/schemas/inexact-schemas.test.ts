import { z } from '@hono/zod-openapi'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { handle, jsonBody, type RouteDefinition } from '#src/runtime/routes/route.ts'
import { refusePattern } from '#src/runtime/schemas/pattern-checks.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

// What a request's schema takes otherwise than its contract says does not start.

const start = (...routes: object[]) => {
  const operations = routes.map((more, index) => {
    const path = { path: index ? `/things/${index}` : '/things', operationId: `makeThing${index}` }
    const route = {
      ...{ method: 'post', ...path, summary: 'Make', security: 'public' },
      ...{ responses: { 204: { description: 'Made' } }, ...more },
    } as RouteDefinition
    return handle(route, () => new Response())
  })
  return testService({ databaseUrl: noDatabase, features: [featureOf(...operations)] })
}
const body = (schema: z.ZodType) => ({ request: { body: jsonBody(z.strictObject({ at: z.array(schema) })) } })
const query = (schema: z.ZodType) => ({ request: { query: z.strictObject({ at: schema }) } })

const response = (schema: z.ZodType) => ({ responses: { 200: { description: 'Made', ...jsonBody(schema) } } })

const refused: [name: string, schema: z.ZodType, complaint: string][] = [
  ['z.coerce.number()', z.coerce.number(), 'such as an empty text. Write z.number(): the text'],
  ['z.stringbool()', z.stringbool(), "Write z.boolean(), or z.enum(['yes', 'no'])"],
  ['.catch()', z.int().catch(1), '.catch() takes anything, which the contract cannot show. Write .default()'],
  [
    'z.preprocess()',
    z.preprocess(Number, z.int()),
    'Write the schema of what is sent, and .transform() after it',
  ],
  [
    'a piped check',
    z.string().transform(Number).pipe(z.int()),
    'a check after a transformation cannot be shown',
  ],
  ['a piped format', z.string().pipe(z.email()), 'a check after a transformation cannot be shown'],
  [
    'a codec',
    z.codec(z.string(), z.number(), { decode: Number, encode: String }),
    'a check after a transformation',
  ],
  [
    'a check after .trim()',
    z.string().trim().min(1),
    'Check first: z.string().regex(/\\S/u).max(100).trim()',
  ],
  [
    'a format after .trim()',
    z.string().trim().toLowerCase().email(),
    'a check after .trim() or a similar change',
  ],
  [
    'a pattern after .toLowerCase()',
    z.string().toLowerCase().regex(/^a/),
    'a check after .trim() or a similar change',
  ],
  ['.includes() at a position', z.string().includes('a', { position: 2 }), 'has no pattern. Write .regex()'],
  ['z.cidrv6()', z.cidrv6(), 'Write z.string().regex(z.regexes.cidrv6)'],
  ['a flag i', z.string().regex(/^a+$/i), 'Write it without i, such as [Aa] for /a/i'],
  ['a flag i of a format', z.email({ pattern: /^a@b$/i }), 'Write it without i'],
  ['a flag i behind a format', z.email().regex(/^a/i), 'Write it without i'],
  ['a flag v', z.string().regex(/^[a--b]$/v), 'Write it with u'],
  ['a pattern that u refuses', z.string().regex(/^[\w-.]$/), 'is invalid with the flag u'],
  ['a pattern of halves of characters', z.string().regex(/^.{2}$/), 'means something else with the flag u'],
  ['a step of a fraction', z.number().multipleOf(0.01), 'in a unit that is small enough, such as cents'],
  ['a step without bounds', z.int().multipleOf(2), 'exact only for whole numbers within bounds'],
  ['a step of any number', z.number().min(0).max(9).multipleOf(2), 'exact only for whole numbers'],
  [
    'a limit of .openapi()',
    z.string().openapi({ maxLength: 5 }),
    '.openapi({ maxLength }) shows a limit that is not checked',
  ],
  ['a list of unequal items', z.array(z.int()).openapi({ uniqueItems: true }), '.openapi({ uniqueItems })'],
]

test.each(refused)('%s does not start, in a body or in a query', async (_name, schema, complaint) => {
  await expect(start(body(schema))).rejects.toThrow(complaint)
  await expect(start(body(schema))).rejects.toThrow(/^POST \/things \(body\) at\[\]: .*\.$/s)
  await expect(start(query(schema))).rejects.toThrow(/^POST \/things \(query parameter at\) the top level: /)
})

test.each([
  ['z.coerce.string()', z.coerce.string(), 'Write z.string()'],
  ['z.coerce.boolean()', z.coerce.boolean().optional(), 'such as an empty text. Write z.boolean(): the text'],
  ['a record of numbers', z.record(z.number(), z.int()), 'Write z.record(z.string().regex(/^\\d+$/), …)'],
  [
    'a schema that is made late',
    z.lazy(() => z.string().trim().min(1)),
    'a check after .trim() or a similar change',
  ],
])('%s does not start in a body', async (_name, schema, complaint) => {
  await expect(start(body(schema))).rejects.toThrow(complaint)
})

test('a query that is preprocessed as a whole does not start', async () => {
  const whole = z.preprocess((values) => values, z.strictObject({ at: z.string() }))
  await expect(start({ request: { query: whole } })).rejects.toThrow(
    'POST /things (query) the top level: z.preprocess() takes what the contract cannot show.',
  )
})

test('a response may not have a pattern that its readers read otherwise', async () => {
  const schema = z.object({ at: z.string().regex(/^.$/) })
  const responses = { 200: { description: 'It', content: { 'application/json': { schema } } } }
  await expect(start({ responses })).rejects.toThrow(
    /^POST \/things \(response\) at: .*Add the flag: \/\^\.\$\/u/,
  )
})

const taken: [name: string, schema: z.ZodType][] = [
  ['checks before what changes', z.string().regex(/\S/u).max(100).trim().toLowerCase()],
  ['a transformation', z.string().transform(Number)],
  [
    'a codec to a date',
    z.codec(z.iso.datetime(), z.date(), { decode: (text) => new Date(text), encode: String }),
  ],
  ['a check that says what it takes', z.preprocess(Number, z.int()).openapi({ type: 'integer' })],
  [
    'a refinement that says a limit',
    z
      .array(z.int())
      .refine(() => true)
      .openapi({ uniqueItems: true }),
  ],
  ['a refinement', z.string().refine(() => true)],
  ['a plain pattern', z.string().regex(/^[a-z]{1,3}-\d+\.$/)],
  ['bounded steps', z.int().min(0).max(1_000_000).multipleOf(5)],
  ['a description', z.int().openapi({ description: 'How many', example: 3 })],
]

test.each(taken)('%s starts, in a body and in a query', async (_name, schema) => {
  await start(body(schema))
  await start(query(schema))
})

test('an expression that starts takes the same with the flag u and without', () => {
  const atom = fc.constantFrom(
    ...[
      'a',
      '.',
      '[^a]',
      '[ab]',
      '[a.]',
      '\\w',
      '\\S',
      '\\W',
      '[\\s\\S]',
      '\\.',
      '\\\\.',
      '😀',
      '[😀]',
      '(?:a|b)',
    ],
    ...['\\-', '\\p{L}', '\\u{61}', '(?=.)', '[\\]^]'],
  )
  const piece = fc
    .tuple(atom, fc.constantFrom('', '+', '*', '?', '{2}', '{1,3}'))
    .map((parts) => parts.join(''))
  const source = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => `^${pieces.join('')}$`)
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', '.', '\\', '😀', 'é', 'p', '{', '}'),
    maxLength: 5,
  })
  let plain = 0
  fc.assert(
    fc.property(source, fc.array(text, { minLength: 5 }), (expression, texts) => {
      let pattern: RegExp
      try {
        pattern = new RegExp(expression)
        refusePattern(pattern, true, (mend) => {
          throw new Error(mend)
        })
      } catch {
        return
      }
      plain++
      const unicode = new RegExp(expression, 'u')
      for (const one of texts) expect([one, unicode.test(one)]).toEqual([one, pattern.test(one)])
    }),
    { numRuns: 3000 },
  )
  expect(plain).toBeGreaterThan(100)
})

test('a schema that is right in one place is refused in another', async () => {
  const text = z.coerce.string()
  await expect(start(query(text), body(text))).rejects.toThrow(
    'POST /things/1 (body) at[]: z.coerce.string()',
  )
  const caught = z.int().catch(1)
  await expect(start(response(caught), body(caught))).rejects.toThrow('POST /things/1 (body) at[]: .catch()')
  const list = z.array(z.int())
  const slow = list.refine(async () => true)
  await expect(start(body(list), body(slow))).rejects.toThrow(
    'POST /things/1 has an asynchronous schema (at[])',
  )
})
