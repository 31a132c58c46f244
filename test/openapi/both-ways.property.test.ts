import { z } from '@hono/zod-openapi'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cursorParameter } from '#src/runtime/database/cursor.ts'
import { schemaWriter } from '#src/runtime/schemas/json-schema.ts'
import { judge } from '#test/support/json-schema.ts'
import { valuesOf } from '#test/support/values-of.ts'

// What the contract takes, the check takes, and the other way round: values near to what each schema wants are asked of
// both. The contract's judge reads nothing but the JSON schema that was written.

const text = fc.constantFrom(
  ...[
    '',
    'a',
    'A',
    'ab',
    'abc',
    'a.b',
    'b',
    'null',
    '1',
    '-1',
    '1e2',
    'a@b.co',
    'a@b',
    'https://a.b/c',
    '10.0.0.1',
  ],
  ...[
    '256.0.0.1',
    '::1',
    '2026-01-01',
    '2026-02-30',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00+01:00',
    '12:30:00',
  ],
  ...[
    '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f',
    '01932b1c-7a00-9c3e-8d5f-5a1b2c3d4e5f',
    '01932b1c-7a00-4c3e-0d5f-5a1b2c3d4e5f',
  ],
  ...[
    '00000000-0000-0000-0000-000000000000',
    '01932B1C-7A00-7C3E-8D5F-5A1B2C3D4E5F',
    'AZMrHHoAfD6NX1obLD1OXw',
    'AZMrHHoAfD6NX1obLD1OXx',
  ],
  ...['YQ==', 'YQ', '+4912345678', 'P1D', 'V1StGXR8_Z5jdHi6B-myT'],
)
const number = fc.oneof(
  fc.constantFrom(
    0,
    1,
    -1,
    1.5,
    2,
    3,
    5,
    0.3,
    2 ** 31,
    2 ** 31 - 1,
    -(2 ** 31) - 1,
    2 ** 53,
    2 ** 53 - 1,
    1e308,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const leaf = fc.oneof(text, fc.uuid(), number, fc.boolean(), fc.constant(null))
const value = fc.oneof(
  { weight: 3, arbitrary: leaf },
  fc.array(leaf, { maxLength: 4 }),
  fc.dictionary(fc.constantFrom('a', 'b', 'c', 'k', 'ab'), fc.oneof(leaf, fc.array(leaf, { maxLength: 2 })), {
    maxKeys: 4,
  }),
)

const kinds: Record<string, z.ZodType> = {
  uuid: z.uuid(),
  uuidv4: z.uuidv4(),
  guid: z.guid(),
  email: z.email(),
  ipv4: z.ipv4(),
  ipv6: z.ipv6(),
  'iso.date': z.iso.date(),
  'iso.time': z.iso.time(),
  'iso.datetime': z.iso.datetime(),
  'iso.datetime with an offset': z.iso.datetime({ offset: true }),
  'iso.duration': z.iso.duration(),
  base64: z.base64(),
  nanoid: z.nanoid(),
  e164: z.e164(),
  'a string with bounds': z.string().min(1).max(2),
  'a string of a length': z.string().length(2),
  'a string with two patterns': z.string().regex(/^a/).regex(/b$/),
  'a string that starts': z.string().startsWith('a.'),
  'a string in small letters': z.string().lowercase(),
  number: z.number(),
  int: z.int(),
  int32: z.int32(),
  uint32: z.uint32(),
  'a number between': z.number().gt(1).lt(5),
  'a number of steps': z.int().min(-100).max(100).multipleOf(2),
  boolean: z.boolean(),
  null: z.null(),
  literal: z.literal('a'),
  'literals of several types': z.literal(['a', 1, null]),
  enum: z.enum(['a', 'b']),
  nullable: z.string().nullable(),
  union: z.union([z.string().max(1), z.int()]),
  array: z.array(z.int()).min(1).max(2),
  'an array of a length': z.array(z.string()).length(2),
  tuple: z.tuple([z.string(), z.int()]),
  'a tuple with a rest': z.tuple([z.string()]).rest(z.int()),
  'a strict object': z.strictObject({ a: z.string(), b: z.int().optional(), c: z.string().default('x') }),
  'a loose object': z.looseObject({ a: z.string() }),
  'an object with a catch-all': z.object({ a: z.string() }).catchall(z.int()),
  record: z.record(z.string().min(2), z.int()),
  'a record of an enum': z.record(z.enum(['a', 'b']), z.int()),
  'a partial record': z.partialRecord(z.enum(['a', 'b']), z.int()),
  'a discriminated union': z.discriminatedUnion('k', [
    z.strictObject({ k: z.literal('a'), a: z.int() }),
    z.strictObject({ k: z.literal('b') }),
  ]),
  cursor: cursorParameter(),
  unknown: z.unknown(),
  never: z.never(),
  'a nullable with a default': z.int().nullable().default(null),
  prefault: z.strictObject({ a: z.int().prefault(3) }),
  'an optional in a list': z.array(z.string().nullable()).max(3),
  'a text that is trimmed after its checks': z.string().min(2).max(4).trim(),
  'a text in small letters after its checks': z.email().toLowerCase(),
  'a text with a Unicode pattern': z.string().regex(/^.{2}[^a]$/u),
  'a text that includes': z.string().includes('b'),
  'a text that ends': z.string().endsWith('.b'),
  'a transformed text': z.string().max(3).transform(Number),
  'a date and time of so many digits': z.iso.datetime({ precision: 3 }),
  'a local date and time': z.iso.datetime({ local: true }),
  'a time of minutes': z.iso.time({ precision: -1 }),
  hostname: z.hostname(),
  emoji: z.emoji(),
  hex: z.hex(),
  hash: z.hash('md5'),
  mac: z.mac(),
  ulid: z.ulid(),
  cuid2: z.cuid2(),
  ksuid: z.ksuid(),
  xid: z.xid(),
  base64url: z.base64url(),
  cidrv4: z.cidrv4(),
  'a template': z.templateLiteral(['a-', z.int(), '-', z.enum(['b', 'c'])]),
  'a template of numbers': z.templateLiteral([z.number(), 'px']),
  float32: z.float32(),
  'a positive number': z.number().positive(),
  'a number of large steps': z.int32().multipleOf(1000),
  'a number of two steps': z.int32().multipleOf(2).multipleOf(3),
  'an enum of numbers': z.literal([1, 2, 2.5]),
  'a boolean literal': z.literal(true),
  'a record of a pattern': z.record(z.string().regex(/^[ab]{1,2}$/), z.int()),
  'an intersection': z.intersection(z.looseObject({ a: z.int() }), z.looseObject({ b: z.int() })),
  'an intersection of strict objects': z.intersection(
    z.strictObject({ a: z.int() }),
    z.strictObject({ b: z.int().optional() }),
  ),
  'an extended object': z.strictObject({ a: z.int() }).extend({ b: z.string().optional() }),
  'a partial object': z.strictObject({ a: z.int(), b: z.string() }).partial(),
  'a union of objects': z.union([z.strictObject({ a: z.int() }), z.strictObject({ b: z.int() })]),
  xor: z.xor([z.strictObject({ a: z.int() }), z.looseObject({ a: z.int(), b: z.int().optional() })]),
  'a tuple with optional items': z.tuple([z.string(), z.int().optional(), z.int().optional()]),
  'a list of tuples': z.array(z.tuple([z.literal('a'), z.int()])).max(2),
  readonly: z.array(z.int()).readonly(),
  brand: z.uuid().brand<'Id'>(),
  nonoptional: z.strictObject({ a: z.nonoptional(z.int().optional()) }),
  exactOptional: z.strictObject({ a: z.int().exactOptional() }),
  nested: z.strictObject({
    a: z.array(z.strictObject({ k: z.enum(['a', 'b']), n: z.int().min(1).max(3) })).min(1),
  }),
}

test.each(Object.entries(kinds))('%s: the contract and the check take the same', (_name, schema) => {
  const contract = schemaWriter(new Map()).write(schema, 'input', 'POST /x')
  const fits = judge()
  const near = valuesOf({}, fits)
  fc.assert(
    fc.property(fc.oneof(value, near.raw(contract), near.spoilt(contract)), (sent) => {
      // zod leaves this key out of a record, whatever it holds
      fc.pre(!('propertyNames' in contract && Object.hasOwn(Object(sent), '__proto__')))
      const checked = schema.safeParse(sent).success
      expect({ sent, taken: fits(contract, sent) }).toEqual({ sent, taken: checked })
    }),
    { numRuns: 800 },
  )
})
