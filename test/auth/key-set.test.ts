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
  const answers = await Promise.all(tokens.map(ask))
  expect(answers.map(({ status }) => status)).toEqual(tokens.map(() => 200))
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

test('a new key is found by the first token that it signed', async () => {
  const { provider, ask } = await serve(keys.ES256)
  await expectJson(await ask(providerToken(keys.ES256)))
  provider.keys.push(next.jwk)
  vi.setSystemTime(noon + 30_000)
  await expectJson(await ask(providerToken(next)))
  await expectJson(await ask(providerToken(keys.ES256, { sub: 'bob' })))
  expect(provider.requests).toHaveLength(2)
})

test('a thousand invented kids cause one more fetch, and harm no good token', async () => {
  const { provider, ask } = await serve(keys.ES256)
  await expectJson(await ask(providerToken(keys.ES256)))
  vi.setSystemTime(noon + 30_000)
  const invented = Array.from({ length: 1000 }, (_, index) => {
    const header = { alg: 'ES256', kid: `invented ${index}` }
    return forge({
      header,
      claims: goodClaims({ sub: `user ${index}` }),
      key: 'not even signed by such a key',
    })
  })
  const answers = await Promise.all(invented.map(ask))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
  expect(provider.requests).toHaveLength(2)

  vi.setSystemTime(noon + 59_999)
  await expectProblem(await ask(providerToken(next)), 401, 'TOKEN_INVALID')
  expect(provider.requests).toHaveLength(2)
  await expectJson(await ask(providerToken(keys.ES256, { sub: 'bob' })))

  provider.keys.push(next.jwk)
  vi.setSystemTime(noon + 60_000)
  await expectJson(await ask(providerToken(next)))
  expect(provider.requests).toHaveLength(3)
})

test('a thousand invented kids as the very first tokens cause one fetch', async () => {
  const { provider, ask } = await serve(keys.ES256)
  const invented = Array.from({ length: 1000 }, (_, index) =>
    providerToken(next, {}, { kid: `invented ${index}` }),
  )
  const answers = await Promise.all(invented.map(ask))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
  expect(provider.requests).toHaveLength(1)
})

test('a key of the same kid but another kind signs nothing', async () => {
  const { ask } = await serve(keys.RS256)
  const pretender = providerKey('rsa', 'ES256')
  await expectProblem(await ask(providerToken(pretender)), 401, 'TOKEN_INVALID')
  const twin = providerKey('rsa', 'RS256')
  await expectProblem(await ask(providerToken(twin)), 401, 'TOKEN_INVALID')
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

async function serve(...published: ProviderKey[]) {
  const provider: Provider = await startProvider(...published)
  const { api } = await testService({ databaseUrl: noDatabase, environment: provider.environment })
  return { provider, api, ask: (token: string) => api('/auth/version', { headers: bearer(token) }) }
}
