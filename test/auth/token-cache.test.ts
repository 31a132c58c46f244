import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTokenCache } from '#src/runtime/auth/token-cache.ts'

const noon = Date.parse('2026-06-01T12:00:00.000Z')
const inAnHour = noon / 1000 + 3600

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: noon })
})

afterEach(() => {
  vi.useRealTimers()
})

test('what was set is got, by the whole token only', () => {
  const cache = createTokenCache(1_000_000)
  const alice = caller('alice')
  cache.set('header.payload.signature', alice, inAnHour)
  expect(cache.get('header.payload.signature')).toBe(alice)
  expect(cache.get('header.payload.')).toBeUndefined()
  expect(cache.get('header.payload.Signature')).toBeUndefined()
  expect(cache.get('header.payload.signature=')).toBeUndefined()
  expect(cache.get('')).toBeUndefined()
})

test('an entry ends with its token', () => {
  const cache = createTokenCache(1_000_000)
  cache.set('token', caller('alice'), noon / 1000 + 30)
  vi.setSystemTime(noon + 29_999)
  expect(cache.get('token')).toBeDefined()
  vi.setSystemTime(noon + 30_000)
  expect(cache.get('token')).toBeUndefined()
})

test('an entry ends after ten minutes, however long its token is good for', () => {
  const cache = createTokenCache(1_000_000)
  cache.set('token', caller('alice'), Number.MAX_VALUE)
  vi.setSystemTime(noon + 599_999)
  expect(cache.get('token')).toBeDefined()
  vi.setSystemTime(noon + 600_000)
  expect(cache.get('token')).toBeUndefined()
})

test('to be asked for does not make an entry last longer', () => {
  const cache = createTokenCache(1_000_000)
  cache.set('token', caller('alice'), inAnHour)
  for (let minute = 0; minute < 10; minute++) {
    vi.setSystemTime(noon + minute * 60_000)
    expect(cache.get('token')).toBeDefined()
  }
  vi.setSystemTime(noon + 600_000)
  expect(cache.get('token')).toBeUndefined()
})

test('an entry that ended gives its bytes back', () => {
  const cache = createTokenCache(1_000_000)
  cache.set('token', caller('alice'), noon / 1000 + 30)
  expect(cache.bytes).toBeGreaterThan('token'.length)
  vi.setSystemTime(noon + 30_000)
  cache.get('token')
  expect(cache.bytes).toBe(0)
})

test('a token that is set twice counts once, and the second caller stays', () => {
  const cache = createTokenCache(1_000_000)
  cache.set('token', caller('alice'), inAnHour)
  const once = cache.bytes
  const again = caller('alice')
  cache.set('token', again, inAnHour)
  expect(cache.bytes).toBe(once)
  expect(cache.get('token')).toBe(again)
})

test('the bytes never pass the bound; the oldest leave first', () => {
  const bound = 100_000
  const cache = createTokenCache(bound)
  const tokens = Array.from({ length: 1000 }, (_, index) => `${index}.${'x'.repeat(index % 700)}`)
  for (const token of tokens) {
    cache.set(token, caller(token), inAnHour)
    expect(cache.bytes).toBeLessThanOrEqual(bound)
  }
  const kept = tokens.map((token) => cache.get(token) !== undefined)
  const first = kept.indexOf(true)
  expect(first).toBeGreaterThan(900)
  expect(kept.slice(first)).not.toContain(false)
})

test('a token counts for more bytes than its characters take', () => {
  const cache = createTokenCache(10_000_000)
  cache.set('x'.repeat(10_000), caller('alice'), inAnHour)
  expect(cache.bytes).toBeGreaterThan(20_000)
})

test('a token that alone passes the bound is not kept, and drives no other out', () => {
  const cache = createTokenCache(10_000)
  cache.set('token', caller('alice'), inAnHour)
  cache.set('x'.repeat(14_000), caller('mallory'), inAnHour)
  expect(cache.get('x'.repeat(14_000))).toBeUndefined()
  expect(cache.get('token')).toBeDefined()
})

function caller(subject: string) {
  return { subject, issuer: 'service', scopes: [], claims: {} }
}
