import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { bearer, forge, goodClaims, providerKey } from '#test/support/forge.ts'
import { providerToken, startProvider } from '#test/support/provider.ts'
import { testService } from '#test/support/service.ts'
import { testAuth } from '#test/support/tokens.ts'

const rsa = providerKey('rsa', 'RS256')
const stranger = providerKey('rsa', 'RS256')
const provider = await startProvider(rsa)
const trap = await startProvider(stranger)
const withSecret = await testService({ databaseUrl: noDatabase, features: [] })
const withProvider = await testService({
  databaseUrl: noDatabase,
  features: [],
  environment: provider.environment,
})
const services = { 'a secret': withSecret, 'a provider': withProvider }
const both = Object.entries(services)

const spellings = ['none', 'None', 'NONE', 'nOnE', 'nonE', 'NoNe', ' none', 'none ']

test.each(both)('with %s, no spelling of alg none is taken, signed or not', async (_name, { api }) => {
  for (const alg of [...spellings, '', null, undefined, 0, ['HS256'], { alg: 'HS256' }]) {
    const [head, body, signature] = forge({ header: { alg, typ: 'JWT', kid: 'rsa' } }).split('.')
    for (const token of [`${head}.${body}.`, `${head}.${body}.${signature}`]) {
      await expectProblem(await api('/auth/version', { headers: bearer(token) }), 401, 'TOKEN_INVALID')
    }
  }
})

test.each(both)('with %s, a token without any signature part is refused', async (_name, { api }) => {
  const [head, body] = forge({ header: { alg: 'none' } }).split('.')
  await expectProblem(
    await api('/auth/version', { headers: bearer(`${head}.${body}`) }),
    401,
    'TOKEN_INVALID',
  )
})

test('the public key of the provider is no secret to sign by HS256 with', async () => {
  const { publicKey } = rsa
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const forms = [
    pem,
    pem.trim(),
    publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    JSON.stringify(rsa.jwk),
    String(rsa.jwk.n),
    '',
  ]
  for (const key of forms) {
    const token = forge({ header: { alg: 'HS256', kid: 'rsa' }, key })
    const response = await withProvider.api('/auth/version', { headers: bearer(token) })
    await expectProblem(response, 401, 'TOKEN_INVALID')
  }
})

test.each(['HS384', 'HS512'])('with a secret only HS256 is taken, not %s', async (alg) => {
  const [head, body] = forge({ header: { alg, typ: 'JWT' } }).split('.')
  const mac = createHmac(`sha${alg.slice(2)}`, testAuth.secret)
    .update(`${head}.${body}`)
    .digest('base64url')
  const response = await withSecret.api('/auth/version', { headers: bearer(`${head}.${body}.${mac}`) })
  await expectProblem(response, 401, 'TOKEN_INVALID')
})

const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const ed = providerKey('ed', 'EdDSA')
const otherAlgorithms: [alg: string, privateKey: KeyObject, publicKey: KeyObject][] = [
  ...['RS384', 'RS512', 'PS256'].map(
    (alg) => [alg, rsa.privateKey, rsa.publicKey] as [string, KeyObject, KeyObject],
  ),
  ['ES384', p384.privateKey, p384.publicKey],
  ['Ed25519', ed.privateKey, ed.publicKey],
]

test.each(otherAlgorithms)('with a provider %s is not taken, however well it is signed', async (...row) => {
  const [alg, privateKey, publicKey] = row
  const other = await startProvider()
  other.keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'one' }]
  const { api } = await testService({ databaseUrl: noDatabase, features: [], environment: other.environment })
  const token = await new SignJWT(goodClaims()).setProtectedHeader({ alg, kid: 'one' }).sign(privateKey)
  await expectProblem(await api('/auth/version', { headers: bearer(token) }), 401, 'TOKEN_INVALID')
})

test.each(['HS256', 'RSA-OAEP', 'dir', 'constructor', '__proto__'])(
  'with a provider %s is no algorithm',
  async (alg) => {
    const token = providerToken(rsa, {}, { alg })
    const response = await withProvider.api('/auth/version', { headers: bearer(token) })
    await expectProblem(response, 401, 'TOKEN_INVALID')
  },
)

test('what a service with a secret would take, one with a provider refuses, and the other way round', async () => {
  await expectJson(await withSecret.api('/auth/version', { headers: bearer(forge()) }))
  const refused = await withProvider.api('/auth/version', { headers: bearer(forge()) })
  await expectProblem(refused, 401, 'TOKEN_INVALID')

  await expectJson(await withProvider.api('/auth/version', { headers: bearer(providerToken(rsa)) }))
  const turned = await withSecret.api('/auth/version', { headers: bearer(providerToken(rsa)) })
  await expectProblem(turned, 401, 'TOKEN_INVALID')
})

const critical: Record<string, object> = {
  'an extension that nobody knows': { crit: ['exp'], exp: 1 },
  'an unencoded payload': { crit: ['b64'], b64: false },
  'an extension that is not there': { crit: ['http://example.com/ext'] },
  'a registered name': { crit: ['alg'] },
  'no list': { crit: 'exp' },
  'an empty list': { crit: [] },
  'a list of numbers': { crit: [1] },
  null: { crit: null },
}

test.each(Object.entries(critical))('a signed token whose crit is %s is refused', async (_name, extra) => {
  const own = forge({ header: { alg: 'HS256', ...extra } })
  await expectProblem(await withSecret.api('/auth/version', { headers: bearer(own) }), 401, 'TOKEN_INVALID')
  const theirs = providerToken(rsa, {}, extra)
  const response = await withProvider.api('/auth/version', { headers: bearer(theirs) })
  await expectProblem(response, 401, 'TOKEN_INVALID')
})

const keyHeaders: Record<string, object> = {
  jku: { jku: trap.url },
  x5u: { x5u: trap.url.replace('jwks.json', 'chain.pem') },
  jwk: { jwk: stranger.jwk },
  'all three': { jku: trap.url, x5u: trap.url, jwk: stranger.jwk },
}

test.each(Object.entries(keyHeaders))(
  'a token that names its key by %s is refused, whatever key signed it, and nothing is fetched from there',
  async (_name, extra) => {
    const forged = providerToken(stranger, {}, extra)
    const signed = providerToken(rsa, {}, extra)
    const ours = forge({ header: { alg: 'HS256', ...extra } })
    for (const token of [forged, signed]) {
      const response = await withProvider.api('/auth/version', { headers: bearer(token) })
      await expectProblem(response, 401, 'TOKEN_INVALID')
    }
    for (const token of [forged, ours]) {
      const response = await withSecret.api('/auth/version', { headers: bearer(token) })
      await expectProblem(response, 401, 'TOKEN_INVALID')
    }
    expect(trap.requests).toEqual([])
  },
)

test('a kid is only compared: neither a path, nor a URL, nor a statement is followed', async () => {
  for (const kid of [
    trap.url,
    '../../etc/passwd',
    "' or 1=1 --",
    '',
    'x'.repeat(5000),
    7,
    null,
    ['rsa'],
    {},
  ]) {
    const response = await withProvider.api('/auth/version', {
      headers: bearer(providerToken(stranger, {}, { kid })),
    })
    await expectProblem(response, 401, 'TOKEN_INVALID')
  }
  expect(trap.requests).toEqual([])
})
