import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '#dev/new/from/document.ts'
import { createNotes } from '#dev/new/from/notes.ts'
import { createSchemaBook } from '#dev/new/from/schema-book.ts'
import { judge } from '#test/support/json-schema.ts'
import { valuesOf } from '#test/support/values-of.ts'

const text = { type: 'string', minLength: 1, maxLength: 5 }
const closed = { type: 'object', additionalProperties: false }
const leaf = { ...closed, properties: { name: text }, required: ['name'] }

/** Schemas of a document, for each of which the code must take what a validator takes. */
const schemas: Record<string, Json> = {
  Text: text,
  Pattern: { type: 'string', pattern: '^[a-c./]+-x$' },
  Whole: { type: 'integer', exclusiveMinimum: 2, maximum: 40, multipleOf: 4 },
  Fraction: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 2.5 },
  Kind: { type: 'string', enum: ['a', "it's", '*/'] },
  Mixed: { enum: ['a', 1, true, null] },
  Nullable: { type: ['string', 'null'], maxLength: 3 },
  Either: {
    oneOf: [
      { $ref: '#/components/schemas/Text' },
      { type: 'integer', minimum: 0 },
      { type: 'integer', maximum: 5 },
    ],
  },
  Any: {
    anyOf: [{ type: 'boolean' }, { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 2 }],
  },
  Pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false, minItems: 1 },
  Unique: { type: 'array', items: { type: 'integer', minimum: 0, maximum: 3 }, uniqueItems: true },
  Map: { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 1 },
  Open: { type: 'object', properties: { a: text }, required: ['a', 'b'], additionalProperties: {} },
  Rest: {
    type: 'object',
    properties: { a: { type: 'string' } },
    additionalProperties: { type: ['string', 'boolean'] },
  },
  Tree: { ...closed, properties: { name: text, parts: { type: 'array', items: leaf } }, required: ['name'] },
  Deep: {
    ...closed,
    properties: { tree: { $ref: '#/components/schemas/Tree' }, size: { type: 'number', minimum: 0 } },
    required: ['size'],
  },
  Value: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  Odd: {
    ...closed,
    properties: { 'a-b': { type: 'boolean' }, constructor: { type: 'null' } },
    required: ['constructor'],
  },
  NotAllOf: { ...closed, properties: { a: text, b: { const: 7 } }, required: ['a', 'b'] },
}

/** Whether JSON carries a value exactly, and zod keeps its keys. */
function isExact(value: unknown): boolean {
  const text = JSON.stringify(value) ?? ''
  return !text.includes('"__proto__"') && !/\d{16}/.test(text)
}

/** The schemas that contain themselves: the values above are of one level. */
const recursive: Record<string, Json> = {
  ...schemas,
  Tree: {
    ...closed,
    properties: {
      name: { $ref: '#/components/schemas/Text' },
      parts: { type: 'array', items: { $ref: '#/components/schemas/Tree' } },
    },
    required: ['name'],
  },
  Value: { anyOf: [{ type: 'string' }, { type: 'array', items: { $ref: '#/components/schemas/Value' } }] },
}

/** What is written in another way than JSON Schema says, and the same for people. */
const written: Record<string, Json> = {
  ...recursive,
  Open: { ...schemas.Open, additionalProperties: true },
  Pattern: { type: 'string', pattern: '^[a-c./]+\\-x$' }, // as Python takes it
  NotAllOf: {
    allOf: [
      { $ref: '#/components/schemas/Part' },
      { properties: { b: { const: 7 } }, required: ['b'], additionalProperties: false },
    ],
  },
  Part: { type: 'object', properties: { a: text }, required: ['a'] },
}

const document = { components: { schemas: written } }
const notes = createNotes()
const book = createSchemaBook(document, notes, 'Sample')
for (const name of Object.keys(schemas))
  book.add(name, { $ref: `#/components/schemas/${name}` }, { place: '#', use: 'request' })
const all = book.write()

test.each(Object.keys(schemas))('%s takes what the document takes, and nothing else', (name) => {
  const found = all.find(({ constant }) => constant === name || constant === `Sample${name}`)
  const fits = judge(recursive)
  const { raw, spoilt } = valuesOf(schemas, fits)
  const schema = schemas[name] ?? {}
  const reference = { $ref: `#/components/schemas/${name}` }
  const seen = { fitting: 0, other: 0 }
  fc.assert(
    fc.property(fc.oneof(raw(schema), spoilt(schema)).filter(isExact), (value) => {
      const isFitting = fits(reference, value)
      seen[isFitting ? 'fitting' : 'other']++
      expect({ value, takes: found?.schema.safeParse(value).success }).toEqual({ value, takes: isFitting })
    }),
    { numRuns: 150, endOnFailure: true },
  )
  expect(Math.min(seen.fitting, seen.other)).toBeGreaterThan(0)
  expect(found?.schema.safeParse(found.example).success).toBe(true)
})

test('what is not checked is a note, and a comment in the code', () => {
  const odd = createNotes()
  const loose: Json = {
    type: 'object',
    properties: {
      price: { type: 'number', multipleOf: 0.01 },
      code: { type: 'string', pattern: '(?P<a>x)' },
      pages: { type: 'array', items: { type: 'object' }, uniqueItems: true },
      other: { not: { type: 'string' } },
    },
  }
  const other = createSchemaBook({ components: { schemas: { Loose: loose } } }, odd, 'Sample')
  other.add('Loose', { $ref: '#/components/schemas/Loose' }, { place: '#', use: 'request' })
  const [{ code } = { code: '' }] = other.write()
  for (const word of ['multipleOf 0.01', '(?P<a>x)', '`uniqueItems`', '`not`'])
    expect(code).toContain(
      `// The document also states ${word.startsWith('(') ? 'the pattern ' : ''}${word}, which is not checked here`,
    )
  const lines = odd.lines().join('\n')
  for (const name of ['price', 'code', 'pages', 'other'])
    expect(lines).toContain(`#/components/schemas/Loose/properties/${name}`)
})

test('a document cannot bring code of its own', () => {
  const evil = "'); throw new Error('evil'); ('*/ \n`$'"
  const schema = {
    ...{ type: 'object', description: evil, example: { [evil]: evil }, 'x-after': [evil], 'x-ref': evil },
    properties: {
      [evil]: { type: 'string', default: evil, pattern: evil.replaceAll(/[()]/g, ''), 'x-comments': [evil] },
    },
  }
  const own = createSchemaBook({ components: { schemas: { Evil: schema } } }, createNotes(), 'Sample')
  own.add('Evil', { $ref: '#/components/schemas/Evil' }, { place: '#', use: 'request' })
  expect(own.write().map(({ constant }) => constant)).toEqual(['Evil'])
})
