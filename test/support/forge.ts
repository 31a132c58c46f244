import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { testAuth } from './tokens.ts'

/** What a token says; a claim that is `undefined` is left out. */
export type ForgedClaims = Record<string, unknown>

/** The claims of a token that the test service takes, changed by `more`. */
export function goodClaims(more: ForgedClaims = {}): ForgedClaims {
  const now = Math.floor(Date.now() / 1000)
  const { issuer: iss, audience: aud } = testAuth
  return { iss, aud, sub: 'alice', iat: now, exp: now + 3600, ...more }
}

/**
 * A token made by hand, so that it can be wrong in every way.
 *
 * @param parts.header replaces `{ alg: 'HS256', typ: 'JWT' }`
 * @param parts.key a text signs by HS256, a private key as its own kind does
 */
export function forge(
  parts: { header?: Record<string, unknown>; claims?: unknown; key?: string | KeyObject } = {},
): string {
  const { header = { alg: 'HS256', typ: 'JWT' }, claims = goodClaims(), key = testAuth.secret } = parts
  const signed = `${encode(header)}.${encode(claims)}`
  return `${signed}.${signature(signed, key).toString('base64url')}`
}

/** The headers of a request with this token. */
export function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` }
}

/** A pair of keys as an identity provider has it, with the public one as a JWK. */
export interface ProviderKey {
  readonly kid: string
  readonly alg: 'RS256' | 'ES256' | 'EdDSA'
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: Record<string, unknown>
}

/** Makes such a pair. */
export function providerKey(kid: string, alg: ProviderKey['alg'] = 'ES256'): ProviderKey {
  const { privateKey, publicKey } = pairs[alg]()
  return {
    kid,
    alg,
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
  }
}

const pairs = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
}

function encode(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

function signature(signed: string, key: string | KeyObject): Buffer {
  if (typeof key === 'string') return createHmac('sha256', key).update(signed).digest()
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  return sign(digest, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
}
