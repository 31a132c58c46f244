import { z } from '@hono/zod-openapi'
import fc from 'fast-check'
import type { Context } from 'hono'
import { expect, test } from 'vitest'
import type { BaseEnv } from '#src/runtime/http/env.ts'
import { validate } from '#src/runtime/http/validation.ts'
import { Problem } from '#src/runtime/kernel/problem.ts'
import { stopEarly } from '#src/runtime/schemas/stop-early.ts'

/** What a large body becomes: its value, or how many errors are listed. */
function check(schema: z.ZodType, value: unknown): { data: unknown } | { errors: number } {
  let data: unknown
  const c = { req: { addValidatedData: (_part: string, found: unknown) => (data = found) } }
  try {
    validate(c as unknown as Context<BaseEnv>, 'json', schema, value, true)
  } catch (error) {
    if (error instanceof Problem) return { errors: error.options.errors?.length ?? 0 }
    throw error
  }
  return { data }
}

const Short = z.string().min(2)
const Row = z.strictObject({ a: Short.optional(), b: z.int().optional() })
type Tree = { a?: string | undefined; c?: Tree[] | undefined }
const Tree: z.ZodType<Tree> = z.strictObject({
  a: Short.optional(),
  c: z.array(z.lazy(() => Tree)).optional(),
})
const tooDeep = z.array(Row).refine((rows) => rows.every((row) => row.a !== 'no'), 'has a no')
const StrictC = z.strictObject({ c: z.array(Row).optional() })
const Named = z.record(z.enum(['c']), z.array(Row))
const Self: z.ZodType = z.strictObject({
  a: Short.optional(),
  b: z.unknown(),
  c: z
    .array(z.lazy(() => Self))
    .catch([])
    .optional(),
})
type Records = { [key: string]: string | Records }
const Records: z.ZodType<Records> = z.record(z.string(), z.union([Short, z.lazy(() => Records)]))
const Left = z.array(z.strictObject({ a: Short.optional() }))
const Right = z.array(z.looseObject({ b: z.int().optional() }))

const schemas: [name: string, make: () => z.ZodType][] = [
  ['array', () => z.array(Short)],
  ['array of objects', () => z.array(Row)],
  ['refined array', () => tooDeep],
  ['array that is transformed', () => z.array(Short).transform((items) => items.map((item) => item.length))],
  ['tuple', () => z.tuple([z.int()]).rest(Short)],
  ['record', () => z.record(z.string(), z.array(Short))],
  ['catchall', () => z.object({ a: Short.optional() }).catchall(z.array(Short))],
  ['union', () => z.union([z.array(Short), z.array(z.int()), z.array(Row)])],
  ['catch', () => z.array(Short).catch(['caught'])],
  ['array of catch', () => z.array(Short.catch('caught'))],
  ['tree', () => Tree],
  ['intersection', () => z.intersection(Left, Right)],
  ['array of intersections', () => z.array(z.intersection(Row, StrictC))],
  [
    'intersection whose sides are items elsewhere',
    () =>
      z.union([
        z.array(Row),
        z.array(StrictC),
        z.array(z.intersection(Row, StrictC)),
        z.intersection(Row, StrictC),
      ]),
  ],
  ['records in records', () => Records],
  ['record of what forgives its own kind', () => z.record(z.string(), Self)],
  [
    'record in what forgives',
    () => z.record(z.string(), z.union([z.record(z.string(), Short).catch({ a: 'caught' }), Short])),
  ],
  ['record of one schema for keys and values', () => z.record(Short, Short)],
  [
    'joined records of one schema for keys and values',
    () => z.intersection(z.record(Short, Short), z.looseObject({ a: z.string() })),
  ],
  ['joined records', () => z.intersection(z.record(z.string(), Short), z.record(z.enum(['a']), z.string()))],
  [
    'intersection with a record that is an item elsewhere',
    () => z.union([z.array(Named), z.intersection(Row, Named), z.array(z.intersection(Named, Row))]),
  ],
  ['intersection with a record', () => z.intersection(Row, z.record(z.enum(['c']), z.array(Row)))],
]

/** Values that nearly fit. */
const item = fc.oneof(
  fc.constantFrom('', 'x', 'no', 'yes', 1, 2.5, null),
  fc.record(
    {
      a: fc.constantFrom('x', 'no', 'yes'),
      b: fc.constantFrom(1, 'y'),
      c: fc.constantFrom([], [{ a: 'x' }], [{ a: 'yes' }]),
    },
    { requiredKeys: [] },
  ),
)
const value = fc.oneof(
  fc.array(item, { maxLength: 6 }),
  fc.array(fc.constantFrom('x', 'yes', 'no'), { maxLength: 6 }),
  fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(item, fc.array(item, { maxLength: 3 }))),
)

test.each(schemas)(
  '%s: a check that ends at the first error refuses the same, and gives the same',
  (_name, make) => {
    const schema = make()
    const plain = make()
    stopEarly(schema)
    fc.assert(
      fc.property(value, (input) => {
        const expected = plain.safeParse(input)
        const found = check(schema, input)
        if (expected.success) expect(found).toEqual({ data: expected.data })
        else expect(found).toEqual({ errors: expect.any(Number) })
      }),
      { numRuns: 400 },
    )
  },
)

test.each<[string, (item: z.ZodType) => z.ZodType, (items: string[]) => unknown]>([
  ['an array', (item) => z.array(item), (items) => items],
  ['an array in an array', (item) => z.array(z.array(item)), (items) => [items, items]],
  ['the rest of a tuple', (item) => z.tuple([]).rest(item), (items) => items],
  ['a record', (item) => z.record(z.string(), item), (items) => ({ ...items })],
  [
    'a record in a record',
    (item) => z.record(z.string(), z.record(z.string(), item)),
    (items) => ({ a: { ...items }, b: { ...items } }),
  ],
  ['unknown keys', (item) => z.object({}).catchall(item), (items) => ({ ...items })],
])('no item of %s is looked at after the first that does not fit', (_name, make, write) => {
  let seen = 0
  const schema = make(
    z.string().refine((text) => {
      seen++
      return text === 'good'
    }),
  )
  stopEarly(schema)
  const items = ['good', 'good', ...Array.from({ length: 1_000 }, () => 'bad')]
  expect(check(schema, write(items))).toEqual({ errors: 1 })
  expect(seen).toBe(3)
})

test('what one side of an intersection takes back does not hide what it cannot', () => {
  const Letters = z.record(z.string().max(1), Short)
  const schema = z.union([z.array(Letters), z.intersection(z.looseObject({ long: z.int() }), Letters)])
  stopEarly(schema)
  expect(check(schema, { long: 1, c: 'yes' })).toEqual({ data: { long: 1, c: 'yes' } })
  expect(check(schema, { long: 1, c: 'x' })).toEqual({ errors: 1 })
})
