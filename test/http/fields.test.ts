import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { fieldsOf } from '#src/runtime/http/fields.ts'
import { collectPairs, decodePairs } from '#src/runtime/http/pairs.ts'

const text = z.string()
const list = z.array(text)

/** What a schema's handler gets of a query. */
function read(schema: z.ZodType, query: string): unknown {
  return schema.parse({ ...collectPairs(decodePairs(query, 'query'), fieldsOf(schema), 'query') })
}
const at = (schema: z.ZodType) => (query: string) =>
  (read(z.strictObject({ at: schema }), query) as { at: unknown }).at

interface Nested {
  more?: Nested
}
const Nested: z.ZodType<Nested> = z.lazy(() => z.union([list, Nested]) as never)

const lists: Record<string, z.ZodType> = {
  plain: list,
  optional: list.optional(),
  'exact optional': list.exactOptional(),
  default: list.default([]),
  prefault: list.prefault([]),
  nullable: list.nullable(),
  nullish: list.nullish(),
  readonly: list.readonly(),
  catch: list.catch([]),
  nonoptional: list.optional().nonoptional(),
  refined: list.refine(() => true),
  bounded: list.min(1).max(2),
  transformed: list.transform((values) => values),
  'transformed and optional': list.transform((values) => values).optional(),
  piped: list.pipe(z.array(text)),
  'a codec': z.codec(list, list, { decode: (values) => values, encode: (values) => values }),
  lazy: z.lazy(() => list),
  'lazy and of itself': Nested,
  'a union of lists': z.union([z.array(text.max(0)), list]),
  'one of two': z.xor([z.array(text.max(0)), list]),
  'an intersection': z.intersection(list, z.array(text.min(1))),
  'an intersection with anything': z.intersection(list, z.any()),
  described: list.describe('x').openapi({ description: 'y' }),
  branded: list.brand('List'),
  'several of these': z.lazy(() =>
    list
      .readonly()
      .optional()
      .transform((values) => values ?? []),
  ),
}

test.each(Object.entries(lists))('a list that is %s has one value, or more', (_name, schema) => {
  expect(at(schema)('at=a')).toEqual(['a'])
  expect(at(schema)('at=a&at=b')).toEqual(['a', 'b'])
})

test.each(Object.entries({ ...lists, plain: text, number: z.number(), optional: text.optional() }))(
  'what is missing is left to the schema: %s',
  (_name, schema) => {
    const whole = z.strictObject({ at: schema })
    expect(() => read(whole, '')).not.toThrow(TypeError)
  },
)

test('tuples and sets have their values', () => {
  const pair = z.tuple([text, z.int()]).rest(z.boolean())
  expect(at(pair)('at=a&at=1')).toEqual(['a', 1])
  expect(at(z.tuple([z.int()]).rest(z.int()))('at=1&at=2&at=3')).toEqual([1, 2, 3])
  expect(at(z.set(z.int()).optional())('at=1&at=2&at=2')).toEqual(new Set([1, 2]))
  expect(at(z.set(text))('at=1')).toEqual(new Set(['1']))
})

test('a text or a list is a text for one value, a list for more', () => {
  for (const schema of [
    z.union([text, list]),
    z.union([list, text]).optional(),
    z.any(),
    z.unknown(),
    z.custom(),
  ]) {
    expect(at(schema)('at=a')).toBe('a')
    expect(at(schema)('at=a&at=b')).toEqual(['a', 'b'])
  }
  expect(at(z.union([z.enum(['all']), z.array(z.int())]))('at=all')).toBe('all')
  expect(at(z.union([z.enum(['all']), z.array(z.int())]))('at=1')).toEqual([1])
  expect(at(z.union([z.int(), list]))('at=a')).toEqual(['a'])
  expect(at(z.union([z.int(), list]))('at=1')).toBe(1)
})

test('what is preprocessed to a list is a text for one value', () => {
  const schema = z.preprocess((value) => (typeof value === 'string' ? value.split(',') : value), list)
  expect(at(schema)('at=a,b')).toEqual(['a', 'b'])
  expect(at(schema)('at=a,b&at=c')).toEqual(['a,b', 'c'])
  expect(at(z.preprocess((value) => value || undefined, z.int().optional()))('at=5')).toBe(5)
})

const wholes: Record<string, z.ZodType> = {
  refined: z.strictObject({ at: list }).refine(() => true),
  transformed: z.strictObject({ at: list }).transform((values) => values),
  preprocessed: z.preprocess((values) => values, z.strictObject({ at: list })),
  readonly: z.strictObject({ at: list }).readonly(),
  'with a default': z.strictObject({ at: list }).default({ at: [] }),
  lazy: z.lazy(() => z.strictObject({ at: list })),
  union: z.union([z.strictObject({ at: list }), z.strictObject({ b: text })]),
  'discriminated union': z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('a').default('a'), at: list }),
    z.strictObject({ kind: z.literal('b') }),
  ]),
  intersection: z.intersection(z.looseObject({ at: list }), z.looseObject({})),
  record: z.record(text, list),
  'catch-all': z.object({}).catchall(list),
  loose: z.looseObject({ at: list }),
}

test.each(Object.entries(wholes))('a list is found in a query that is %s', (_name, schema) => {
  const kind = schema instanceof z.ZodDiscriminatedUnion ? 'kind=a&' : ''
  expect(read(schema, `${kind}at=x`)).toMatchObject({ at: ['x'] })
  expect(read(schema, `${kind}at=x&at=y`)).toMatchObject({ at: ['x', 'y'] })
})

test('names that a loose object does not know may be repeated', () => {
  expect(read(z.looseObject({}), 'a=1&a=2&b=3')).toEqual({ a: ['1', '2'], b: '3' })
  expect(() => read(z.looseObject({}), 'a=1&__proto__=x')).toThrow('must not have the name __proto__')
})

test.each(['at=a&at=b', 'at=&at=', 'at&at', '%61t=a&at=b', 'at=a&at=a'])(
  'what is no list stands once: %s',
  (query) => {
    for (const schema of [text, text.optional(), z.int(), z.union([text, z.int()]), z.enum(['a', 'b'])])
      expect(() => at(schema)(query)).toThrow('The query does not fit the contract.')
  },
)

test.each([
  ['at', { at: '' }],
  ['at=', { at: '' }],
  ['at=a=b', { at: 'a=b' }],
  ['a%74=+%2B%26', { at: ' +&' }],
  ['at[]=1', { 'at[]': '1' }],
  ['at%5B%5D=1', { 'at[]': '1' }],
  ['&at=1&&', { at: '1' }],
  ['=1', { '': '1' }],
])('%s is read', (query, values) => {
  expect(read(z.looseObject({}), query)).toEqual(values)
})

test('fields are counted before one is decoded', () => {
  const broken = Array.from({ length: 1_001 }, () => '%').join('&')
  expect(() => decodePairs(broken, 'query')).toThrow('The query has more than 1000 fields.')
  expect(() => decodePairs(broken.slice(2), 'query')).toThrow('The query is not percent-encoded UTF-8.')
})
