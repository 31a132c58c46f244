import fc from 'fast-check'
import { expect, test } from 'vitest'
import { integerParameter } from '#src/runtime/openapi/parameters.ts'

const limit = integerParameter(1, 100, 20)
const right = 'must be a whole number from 1 to 100'

test('a missing parameter has its default', () => {
  expect(limit.parse(undefined)).toBe(20)
})

test('every number in the range is taken from its decimal digits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), (value) => {
      expect(limit.parse(String(value))).toBe(value)
    }),
  )
})

test('every number beside the range is refused, with the range', () => {
  const beside = fc.oneof(fc.integer({ max: 0 }), fc.integer({ min: 101 }), fc.maxSafeInteger(), fc.bigInt())
  fc.assert(
    fc.property(beside, (value) => {
      fc.pre(value < 1 || value > 100)
      expect(limit.safeParse(String(value)).error?.issues[0]).toMatchObject({ message: right })
    }),
  )
})

test('every other text is refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double().map(String)), (text) => {
      fc.pre(!/^-?\d{1,15}$/.test(text))
      expect(limit.safeParse(text).error?.issues[0]).toMatchObject({ message: right })
    }),
  )
})

test.each([
  '1e2',
  '0x10',
  '0b1',
  '1_0',
  '1.0',
  '+1',
  ' 1',
  '1 ',
  '1\n',
  '',
  '-',
  '١',
  '１',
  'Infinity',
  'NaN',
])('%j is no whole number', (text) => {
  expect(limit.safeParse(text).success).toBe(false)
})

test('a range may reach below zero', () => {
  const offset = integerParameter(-10, 10, 0)
  expect(offset.parse('-10')).toBe(-10)
  expect(offset.safeParse('-11').success).toBe(false)
})

test('a number that no double holds exactly is refused rather than rounded', () => {
  const huge = integerParameter(0, Number.MAX_SAFE_INTEGER, 0)
  expect(huge.parse('999999999999999')).toBe(999_999_999_999_999)
  expect(huge.safeParse('9007199254740993').success).toBe(false)
})
