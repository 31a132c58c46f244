import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { bearer, forge, goodClaims, type ProviderKey, providerKey } from '#test/support/forge.ts'
import { type Provider, providerToken, startProvider } from '#test/support/provider.ts'
import { testService } from '#test/support/service.ts'

const noon = Date.parse('2026-06-01T12:00:00.000Z')
const keys = {
  RS256: providerKey('rsa', 'RS256'),
  ES256: providerKey('ec', 'ES256'),
  EdDSA: providerKey('ed', 'EdDSA'),
}
const next = providerKey('next')

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: noon })
})

afterEach(() => {
  vi.useRealTimers()
})

test.each(['RS256', 'ES256', 'EdDSA'] as const)('a token signed by %s is taken', async (alg) => {
  const { provider, ask } = await serve(...Object.values(keys))
  await expectJson(await ask(providerToken(keys[alg])))
  expect(provider.requests).toEqual(['/jwks.json'])
})

test('nothing is fetched before a token asks for it', async () => {
  const { provider, api, ask } = await serve(keys.RS256)
  await expectJson(await api('/ping'))
  await expectProblem(await api('/auth/version'), 401, 'TOKEN_MISSING')
  await expectProblem(await ask('rubbish'), 401, 'TOKEN_INVALID')
  await expectProblem(await ask(forge({ header: { alg: 'HS256' } })), 401, 'TOKEN_INVALID')
  expect(provider.requests).toEqual([])
})

test('the keys are fetched once for many tokens, also when these come at once', async () => {
  const { provider, ask } = await serve(keys.ES256)
  const tokens = Array.from({ length: 20 }, (_, index) => providerToken(keys.ES256, { sub: `user ${index}` }))
  const responses = await Promise.all(tokens.map(ask))
  expect(responses.map(({ status }) => status)).toEqual(tokens.map(() => 200))
  await expectJson(await ask(providerToken(keys.ES256, { sub: 'late' })))
  expect(provider.requests).toHaveLength(1)
})

test('after ten minutes the keys are fetched again, so that a withdrawn one ends', async () => {
  const { provider, ask } = await serve(keys.ES256, keys.RS256)
  await expectJson(await ask(providerToken(keys.ES256)))
  provider.keys = [keys.RS256.jwk]
  vi.setSystemTime(noon + 599_999)
  await expectJson(await ask(providerToken(keys.ES256, { sub: 'bob' })))
  vi.setSystemTime(noon + 600_000)
  await expectProblem(await ask(providerToken(keys.ES256, { sub: 'carol' })), 401, 'TOKEN_INVALID')
  expect(provider.requests).toHaveLength(2)
})

test('a new key is found by the first token that it signed, two seconds after the last fetch', async () => {
  const { provider, ask } = await serve(keys.ES256)
  await expectJson(await ask(providerToken(keys.ES256)))
  provider.keys.push(next.jwk)
  vi.setSystemTime(noon + 1_999)
  await expectProblem(await ask(providerToken(next)), 401, 'TOKEN_INVALID')
  vi.setSystemTime(noon + 2_000)
  await expectJson(await ask(providerToken(next)))
  await expectJson(await ask(providerToken(keys.ES256, { sub: 'bob' })))
  expect(provider.requests).toHaveLength(2)
})

test('a thousand invented kids at once cause one more fetch, and harm no good token', async () => {
  const { provider, ask } = await serve(keys.ES256)
  await expectJson(await ask(providerToken(keys.ES256)))
  vi.setSystemTime(noon + 2_000)
  const responses = await Promise.all(Array.from({ length: 1000 }, (_, index) => ask(invented(index))))
  expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([401]))
  expect(provider.requests).toHaveLength(2)
  await expectJson(await ask(providerToken(keys.ES256, { sub: 'bob' })))
  expect(provider.requests).toHaveLength(2)
})

test('invented kids that never end cause two fetches a minute; a new key is found beside them', async () => {
  const { provider, ask } = await serve(keys.ES256)
  await expectJson(await ask(providerToken(keys.ES256)))
  const seconds = 540
  for (let second = 1; second <= seconds; second++) {
    vi.setSystemTime(noon + second * 1_000)
    await expectProblem(await ask(invented(second)), 401, 'TOKEN_INVALID')
  }
  const burst = 5
  expect(provider.requests).toHaveLength(1 + burst + Math.floor((seconds - 2) / 30))

  provider.keys.push(next.jwk)
  vi.setSystemTime(noon + (seconds + 30) * 1_000)
  await expectJson(await ask(providerToken(next)))
})

test('after a quiet time the invented ones get no more than their burst', async () => {
  const { provider, ask } = await serve(keys.ES256)
  await expectJson(await ask(providerToken(keys.ES256)))
  for (let second = 0; second < 20; second++) {
    vi.setSystemTime(noon + 300_000 + second * 1_000)
    await ask(invented(second))
  }
  expect(provider.requests).toHaveLength(1 + 5)
})

test('a thousand invented kids as the very first tokens cause one fetch', async () => {
  const { provider, ask } = await serve(keys.ES256)
  const responses = await Promise.all(Array.from({ length: 1000 }, (_, index) => ask(invented(index))))
  expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([401]))
  expect(provider.requests).toHaveLength(1)
})

test('a key of the same kid but another kind signs nothing', async () => {
  const { ask } = await serve(keys.RS256)
  const pretender = providerKey('rsa', 'ES256')
  await expectProblem(await ask(providerToken(pretender)), 401, 'TOKEN_INVALID')
  const twin = providerKey('rsa', 'RS256')
  await expectProblem(await ask(providerToken(twin)), 401, 'TOKEN_INVALID')
})

test('of two keys without a kid, either may have signed', async () => {
  const { provider, ask } = await serve()
  const twins = [providerKey('', 'RS256'), providerKey('', 'RS256')]
  provider.keys = twins.map(({ jwk: { kid: _kid, ...jwk } }) => jwk)
  for (const twin of twins) await expectJson(await ask(providerToken(twin, {}, { kid: undefined })))
  const stranger = providerKey('', 'RS256')
  await expectProblem(await ask(providerToken(stranger, {}, { kid: undefined })), 401, 'TOKEN_INVALID')
  const late = providerToken(twins[1] as ProviderKey, { exp: noon / 1000 - 60 }, { kid: undefined })
  await expectProblem(await ask(late), 401, 'TOKEN_EXPIRED')
})

test.each([1, 2])('of %i keys without a kid, one that replaced another is found', async (count) => {
  const { provider, ask } = await serve()
  const bare = ({ jwk: { kid: _kid, ...jwk } }: ProviderKey) => jwk
  provider.keys = Array.from({ length: count }, () => bare(providerKey('')))
  await expectProblem(await ask(providerToken(next, {}, { kid: undefined })), 401, 'TOKEN_INVALID')
  provider.keys[0] = bare(next)
  vi.setSystemTime(noon + 2_000)
  await expectJson(await ask(providerToken(next, {}, { kid: undefined })))
})

test('a key that is published for encryption signs nothing', async () => {
  const { provider, ask } = await serve()
  provider.keys = [{ ...keys.ES256.jwk, use: 'enc' }]
  await expectProblem(await ask(providerToken(keys.ES256)), 401, 'TOKEN_INVALID')
})

test('a provider with a single key need not name it', async () => {
  const { provider, ask } = await serve()
  const { kid: _kid, ...jwk } = keys.RS256.jwk
  provider.keys = [jwk]
  await expectJson(await ask(providerToken(keys.RS256, {}, { kid: undefined })))
})

test('keys of kinds that nobody here knows are passed over', async () => {
  const { provider, ask } = await serve()
  const odd = [{ kty: 'AKP', alg: 'ML-DSA-44', kid: 'pq' }, { kty: 'new' }, {}]
  provider.keys = [...odd, keys.ES256.jwk]
  await expectJson(await ask(providerToken(keys.ES256)))
})

test('the claims of a provider’s token are checked like our own', async () => {
  const { ask } = await serve(keys.ES256)
  const now = noon / 1000
  for (const claims of [
    { iss: 'other' },
    { aud: 'other' },
    { exp: undefined },
    { sub: '' },
    { nbf: now + 6 },
  ]) {
    await expectProblem(await ask(providerToken(keys.ES256, claims)), 401, 'TOKEN_INVALID')
  }
  await expectProblem(await ask(providerToken(keys.ES256, { exp: now - 5 })), 401, 'TOKEN_EXPIRED')
})

/** A token that names a key which no provider has. */
function invented(index: number): string {
  const header = { alg: 'ES256', kid: `invented ${index}` }
  return forge({ header, claims: goodClaims({ sub: `user ${index}` }), key: 'not even signed by such a key' })
}

async function serve(...published: ProviderKey[]) {
  const provider: Provider = await startProvider(...published)
  const { api } = await testService({
    databaseUrl: noDatabase,
    features: [],
    environment: provider.environment,
  })
  return { provider, api, ask: (token: string) => api('/auth/version', { headers: bearer(token) }) }
}
