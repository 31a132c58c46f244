import { randomUUIDv7 } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cursorParameter, decodeCursor, encodeCursor } from '#src/runtime/database/cursor.ts'

const ids = fc.uuid({ version: [1, 2, 3, 4, 5, 6, 7, 8] })
const base64url = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')

test('every id comes back from its cursor, which is 22 characters that a URL takes as they are', () => {
  fc.assert(
    fc.property(ids, (id) => {
      const cursor = encodeCursor(id)
      expect(cursor).toMatch(/^[\w-]{22}$/)
      expect(encodeURIComponent(cursor)).toBe(cursor)
      expect(decodeCursor(cursor)).toBe(id)
    }),
  )
})

test('so does a new one', () => {
  const id = randomUUIDv7()
  expect(decodeCursor(encodeCursor(id))).toBe(id)
})

test.each(['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'])(
  'so does %s',
  (id) => {
    expect(decodeCursor(encodeCursor(id))).toBe(id)
  },
)

describe('any other string stands for nothing', () => {
  test.each([
    ['any string', fc.string({ unit: 'grapheme' })],
    ['any bytes', fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'))],
    ['an id itself', ids],
    ['the digits of an id', ids.map((id) => id.replaceAll('-', ''))],
    ['base64url of another length', fc.string({ unit: base64url, maxLength: 60 })],
    ['22 characters', fc.string({ unit: base64url, minLength: 22, maxLength: 22 })],
  ])('%s', (_what, strings) => {
    fc.assert(
      fc.property(strings, (text) => {
        const id = decodeCursor(text)
        if (id !== undefined) expect(encodeCursor(id)).toBe(text) // it is a cursor after all
      }),
    )
  })

  test('a cursor with a character removed, added or replaced by one that no cursor has there', () => {
    const tampered = fc
      .tuple(ids, fc.nat(21), fc.constantFrom('', '=', '+', '/', ' ', '%', '\0', 'é', '🫖'))
      .map(([id, at, text]) => encodeCursor(id).slice(0, at) + text + encodeCursor(id).slice(at + 1))
    const longer = fc.tuple(ids, base64url).map(([id, more]) => encodeCursor(id) + more)
    fc.assert(
      fc.property(fc.oneof(tampered, longer), (text) => {
        expect(decodeCursor(text)).toBeUndefined()
      }),
    )
  })

  test('a cursor whose last character has bits beyond the last byte', () => {
    fc.assert(
      fc.property(
        ids,
        fc.constantFrom(...'BCDEFHIJKLMNOPRSTUVXYZabcdefhijklmnopqrstuvxyz0123456789-_'),
        (id, last) => {
          const cursor = encodeCursor(id)
          fc.pre(!'AQgw'.includes(last))
          expect(decodeCursor(cursor.slice(0, -1) + last)).toBeUndefined()
        },
      ),
    )
  })
})

test('as a query parameter a cursor gives its id, and all else what would be right', () => {
  const id = randomUUIDv7()
  expect(cursorParameter().parse(encodeCursor(id))).toBe(id)
  const { error } = cursorParameter().safeParse(id)
  expect(error?.issues).toMatchObject([{ message: 'must be a nextCursor of an earlier response' }])
})
