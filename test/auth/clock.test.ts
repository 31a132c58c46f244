import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { bearer, forge, goodClaims } from '#test/support/forge.ts'
import { testService } from '#test/support/service.ts'

const { api } = await testService({ databaseUrl: noDatabase, features: [] })
const noon = Date.parse('2026-06-01T12:00:00.000Z')
const now = noon / 1000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: noon })
})

afterEach(() => {
  vi.useRealTimers()
})

test.each([1, 4])('a token that expired %i s ago is taken: clocks differ', async (seconds) => {
  await expectTaken({ exp: now - seconds })
})

test.each([5, 6, 60])('a token that expired %i s ago is expired', async (seconds) => {
  await expectExpired({ exp: now - seconds })
})

test('a token is still good in its last millisecond', async () => {
  const token = forge({ claims: goodClaims({ exp: now + 10 }) })
  vi.setSystemTime(noon + 9_999)
  await expectJson(await api('/auth/version', { headers: bearer(token) }))
})

test.each([1, 5])('a token that becomes valid in %i s is taken', async (seconds) => {
  await expectTaken({ nbf: now + seconds })
})

test.each([6, 60])(
  'a token that becomes valid in %i s is invalid, and no code asks to refresh it',
  async (seconds) => {
    const token = forge({ claims: goodClaims({ nbf: now + seconds }) })
    await expectProblem(await api('/auth/version', { headers: bearer(token) }), 401, 'TOKEN_INVALID')
  },
)

test('a token from a clock that runs ahead is taken: iat says nothing', async () => {
  await expectTaken({ iat: now + 3600 })
})

test('a token that was taken again and again is refused once it has expired', async () => {
  const token = forge({ claims: goodClaims({ exp: now + 60 }) })
  const ask = () => api('/auth/version', { headers: bearer(token) })
  await expectJson(await ask())
  vi.setSystemTime(noon + 59_999)
  await expectJson(await ask())
  vi.setSystemTime(noon + 64_999)
  await expectJson(await ask())
  vi.setSystemTime(noon + 65_000)
  await expectProblem(await ask(), 401, 'TOKEN_EXPIRED')
})

test('a token that is remembered vouches for no other of the same claims', async () => {
  const claims = goodClaims({ exp: now + 60 })
  await expectJson(await api('/auth/version', { headers: bearer(forge({ claims })) }))
  const other = forge({ claims, key: 'another-key-of-more-than-32-bytes-in-all' })
  await expectProblem(await api('/auth/version', { headers: bearer(other) }), 401, 'TOKEN_INVALID')
})

test('a token that expires after the sun is taken', async () => {
  await expectTaken({ exp: 5e9 * 31_536_000 })
})

test.each([1e300, Number.MAX_SAFE_INTEGER])('an expiry of %d is far away, not an error', async (exp) => {
  await expectTaken({ exp })
})

test.each([0, -1, -1e300])('an expiry of %d is long past', async (exp) => {
  await expectExpired({ exp })
})

async function expectTaken(claims: Record<string, unknown>): Promise<void> {
  const headers = bearer(forge({ claims: goodClaims(claims) }))
  expect((await api('/auth/version', { headers })).status).toBe(200)
  expect((await api('/auth/version', { headers })).status).toBe(200)
}

async function expectExpired(claims: Record<string, unknown>): Promise<void> {
  const response = await api('/auth/version', { headers: bearer(forge({ claims: goodClaims(claims) })) })
  await expectProblem(response, 401, 'TOKEN_EXPIRED')
}
