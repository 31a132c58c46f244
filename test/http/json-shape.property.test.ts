import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shapeOfJson } from '#src/runtime/http/json-shape.ts'
import { refuseUnsafe } from '#src/runtime/http/unsafe-values.ts'

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

/** Texts of UTF-16 units, poison among them; and one way to write them, with more escapes than needed. */
const units = fc.array(
  fc.constantFrom(0x00, 0x01, 0x0d, 0x22, 0x5c, 0x75, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0x61),
)
const escaped = (text: string, isUpper: boolean) =>
  `"${text.replaceAll(/[\s\S]/g, (unit) => {
    const hex = unit.charCodeAt(0).toString(16).padStart(4, '0')
    return `\\u${isUpper ? hex.toUpperCase() : hex}`
  })}"`

test('what holds a NUL or a lone surrogate is found, and nothing else', () => {
  fc.assert(
    fc.property(
      units,
      fc.jsonValue({ maxDepth: 2 }),
      fc.boolean(),
      fc.boolean(),
      (codes, value, all, upper) => {
        const text = `a${String.fromCharCode(...codes)}`
        const [key, rest] = [all ? escaped(text, upper) : JSON.stringify(text), JSON.stringify(value)]
        fc.pre(!rest.includes('_')) // of what begins like __proto__ it says that there may be one
        const mayBeUnsafe = text.includes('\0') || !text.isWellFormed()
        for (const written of [key, `[${rest},${key}]`, `{"a":[{${key}:${rest}}]}`]) {
          expect({ written, mayBeUnsafe: shapeOfJson(encode(written)).mayBeUnsafe }).toEqual({
            written,
            mayBeUnsafe,
          })
          const refuse = () => refuseUnsafe(JSON.parse(written), 'body')
          if (mayBeUnsafe) expect(refuse).toThrow()
          else expect(refuse).not.toThrow()
        }
      },
    ),
    { numRuns: 1000 },
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
  expect(shapeOfJson(encode(text))).toEqual({ values, depth, closed: true, mayBeUnsafe: false })
})

test.each([
  ...[
    '"a\\u0000"',
    '"\\uD800"',
    '{"\\udfff":1}',
    '["\\\\\\u0000"]',
    '"\\ude00\\ud83d"',
    '"\\ud83d\\ud83d\\ude00"',
  ],
  ...['"\\ud83d\\u0041"', '"\\ud83d\\nude00"', '"\\ud83dude00"', '"\\ud83d\\\\ude00"'],
])('%s is poison', (text) => expect(shapeOfJson(encode(text)).mayBeUnsafe).toBe(true))

test.each([
  '"\\ud83d\\ude00"',
  '"\\uDBFF\\uDFFF"',
  '"\\\\u0000"',
  '"\\u00e9"',
  '"\\ud7ff"',
  '"u0000"',
  '"\\u0001"',
  '"\\t"',
])('%s is not', (text) => expect(shapeOfJson(encode(text)).mayBeUnsafe).toBe(false))

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
