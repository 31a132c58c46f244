import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noDatabase } from '#test/support/feature.ts'
import { bearer, forge, goodClaims, providerKey } from '#test/support/forge.ts'
import { providerToken, startProvider } from '#test/support/provider.ts'
import { testService } from '#test/support/service.ts'

const key = providerKey('one')
const provider = await startProvider(key)
const ours = await testService({ databaseUrl: noDatabase, features: [] })
const theirs = await testService({ databaseUrl: noDatabase, features: [], environment: provider.environment })

const names = [
  'alg',
  'kid',
  'typ',
  'cty',
  'crit',
  'b64',
  'zip',
  'jku',
  'x5u',
  'x5c',
  'x5t',
  'jwk',
  'enc',
  'exp',
]
const algorithms = ['none', 'HS256', 'RS256', 'ES256', 'EdDSA', 'dir', 'RSA-OAEP']
const value = fc.oneof(fc.constantFrom(...algorithms, 'one'), fc.jsonValue({ maxDepth: 2 }))
const header = fc.dictionary(fc.constantFrom(...names), value)

test('whatever a header says, a token of no key of ours is a 401', async () => {
  await fc.assert(
    fc.asyncProperty(header, fc.base64String({ maxLength: 90 }), async (fields, signature) => {
      const [head, payload] = forge({ header: fields }).split('.')
      const headers = bearer(`${head}.${payload}.${signature.replaceAll('=', '')}`)
      for (const { api } of [ours, theirs]) expect((await api('/auth/version', { headers })).status).toBe(401)
    }),
    { numRuns: 300 },
  )
})

test('whatever a header says, a token that is signed by our key is taken or a 401, never a failure', async () => {
  await fc.assert(
    fc.asyncProperty(header, async (fields) => {
      const own = bearer(forge({ header: { alg: 'HS256', ...fields } }))
      expect([200, 401]).toContain((await ours.api('/auth/version', { headers: own })).status)
      const foreign = bearer(providerToken(key, {}, fields))
      expect([200, 401]).toContain((await theirs.api('/auth/version', { headers: foreign })).status)
    }),
    { numRuns: 300 },
  )
})

test('whatever the claims are, a signed token is taken or a 401, never a failure', async () => {
  const claim = fc.constantFrom(
    'iss',
    'aud',
    'sub',
    'exp',
    'nbf',
    'iat',
    'scope',
    'scp',
    'roles',
    'permissions',
  )
  await fc.assert(
    fc.asyncProperty(fc.dictionary(claim, fc.jsonValue({ maxDepth: 2 })), async (claims) => {
      const headers = bearer(forge({ claims: goodClaims(claims) }))
      expect([200, 401]).toContain((await ours.api('/auth/version', { headers })).status)
    }),
    { numRuns: 300 },
  )
})

test('whatever the Authorization header is, without a token of ours it is a 401', async () => {
  const word = fc.oneof(
    fc.constantFrom('Bearer', 'Basic', 'Negotiate', forge({ key: 'another' })),
    fc.string(),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 4 }), async (words) => {
      const Authorization = words.join(' ').replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '')
      expect((await ours.api('/auth/version', { headers: { Authorization } })).status).toBe(401)
    }),
    { numRuns: 300 },
  )
})
