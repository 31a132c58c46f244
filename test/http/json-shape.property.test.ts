import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shapeOfJson } from '#src/runtime/http/json-shape.ts'
import { refusePoison } from '#src/runtime/http/text.ts'

const encode = (text: string) => new TextEncoder().encode(text)
const json = fc
  .tuple(fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }), fc.constantFrom('', ' ', '\n\t'))
  .map(([value, indent]) => ({ value, text: JSON.stringify(value, null, indent) }))

function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, child) => sum + countOf(child), 1)
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

test('values and depth are those of what is parsed', () => {
  fc.assert(
    fc.property(json, ({ value, text }) => {
      expect(shapeOfJson(encode(text))).toMatchObject({
        values: countOf(value),
        depth: depthOf(value),
        closed: true,
      })
    }),
    { numRuns: 500 },
  )
})

test('what holds a NUL or a lone surrogate is suspected', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary' }), (value, text) => {
      const written = JSON.stringify({ value, text, [text]: 1 })
      if (shapeOfJson(encode(written)).poison) return
      expect(() => refusePoison(JSON.parse(written), 'body')).not.toThrow()
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['1', 1, 0],
  ['[]', 1, 1],
  [' [ \n ] ', 1, 1],
  ['{"a":{}}', 2, 2],
  ['[[],[]]', 3, 2],
  ['[1,"a,b",[true,{"x":null}]]', 7, 3],
  ['"[[{,"', 1, 0],
  ['["\\"[,", "\\\\", 2]', 4, 1],
  ['{"a,[":1}', 2, 1],
])('%s has %i values in %i levels', (text, values, depth) => {
  expect(shapeOfJson(encode(text))).toEqual({ values, depth, closed: true, poison: false })
})

test.each(['"a\\u0000"', '"\\uD800"', '{"\\udfff":1}', '["\\\\\\u0000"]', '"\\ud83d\\ude00"'])(
  '%s is suspected',
  (text) => expect(shapeOfJson(encode(text)).poison).toBe(true),
)

test.each(['"\\\\u0000"', '"\\u00e9"', '"\\ud7ff"', '"u0000"', '"\\u0001"', '"\\t"'])('%s is not', (text) =>
  expect(shapeOfJson(encode(text)).poison).toBe(false),
)

test.each(['[', '{"a":', ']', '[1,2', '"\\', '"', '"\\u', '"\\u00'])(
  '%s ends, though it is no JSON',
  (text) => {
    const { closed } = shapeOfJson(encode(text))
    expect(closed).toBe(!/[[{\]]/.test(text))
  },
)

test('each byte is read a few times, whatever it is', () => {
  for (const part of ['[', '1,', '"', '\\', '"\\u0000",', '{"a":', '\\u00', '   ', '"\\ud800" ']) {
    const bytes = encode(part.repeat(1_000))
    let reads = 0
    const counted = new Proxy(bytes, {
      get(target, key) {
        if (Number.isInteger(Number(key))) reads++
        return Reflect.get(target, key, target)
      },
    })
    shapeOfJson(counted)
    expect({ part, few: reads <= 6 * bytes.length }).toEqual({ part, few: true })
  }
})
