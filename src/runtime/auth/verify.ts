import { errors, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { z } from 'zod'
import { Problem, problems } from '../kernel/problem.ts'
import { type Caller, type Claims, scopesOf as standardScopes } from './caller.ts'
import { KeySetUnavailableError, remoteKeySet } from './key-set.ts'
import { createTokenCache } from './token-cache.ts'
import { verifyByKeys } from './verify-by-keys.ts'

/** Verifies a token; throws TOKEN_INVALID or TOKEN_EXPIRED. */
export type VerifyToken = (token: string) => Caller | Promise<Caller>

/** How the service reads its tokens: see `defineAuth`. */
export interface AuthOptions<C extends Claims = Claims> {
  /** Reads the scopes from the checked claims. If absent, they are `scope`, `scp`, `permissions` and `roles`. */
  scopesOf?(claims: Readonly<C>): readonly string[]
  /** The schema of the service's own claims. A token whose claims do not match it is invalid. */
  readonly claims?: z.ZodType<Claims>
}

/** The algorithms that a provider's tokens may use. */
const providerAlgorithms = ['RS256', 'ES256', 'EdDSA']

const cacheBytes = 8 * 1024 * 1024
const clockToleranceSeconds = 5

/** Headers by which a token brings its own key. Such tokens are refused: the key must be ours or the provider's. */
const keyHeaders = ['jku', 'x5u', 'jwk']

/**
 * Creates the verifier. With a secret, it accepts HS256 only. With a JWKS URL, it accepts RS256, ES256 and EdDSA only. So
 * a public key can never be used as a secret. It checks the signature, `iss`, `aud`, `exp`, `nbf` and `sub`, with a clock
 * tolerance of 5 s.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8725
 */
export function createVerifier(
  options: {
    secret?: string | undefined
    jwksUrl?: string | undefined
    issuer: string | string[]
    audience: string
    algorithms?: string[]
  } & AuthOptions,
): VerifyToken {
  const { secret, jwksUrl, issuer, audience, scopesOf = standardScopes, claims: schema } = options
  const { algorithms = providerAlgorithms } = options
  const cache = createTokenCache(cacheBytes)
  const checks: JWTVerifyOptions = {
    issuer,
    audience,
    clockTolerance: clockToleranceSeconds,
    requiredClaims: ['exp', 'sub'],
  }
  const remote = jwksUrl === undefined ? undefined : remoteKeySet(jwksUrl, algorithms)
  const key = secret === undefined ? undefined : new TextEncoder().encode(secret)

  async function payloadOf(token: string) {
    if (remote) return remote.use((getKey) => verifyByKeys(token, getKey, { ...checks, algorithms }))
    if (key) return jwtVerify(token, key, { ...checks, algorithms: ['HS256'] })
    throw invalidToken('This service verifies no tokens: neither AUTH_SECRET nor AUTH_JWKS_URL is set.')
  }

  async function verify(token: string): Promise<Caller> {
    const { payload, protectedHeader } = await payloadOf(token).catch((error) => {
      throw toTokenProblem(error)
    })
    const named = keyHeaders.find((header) => header in protectedHeader)
    if (named) throw invalidToken(`The token brings its own key (${named}).`)
    const { sub, iss = '', exp = 0 } = payload
    if (!isSubject(sub)) throw invalidToken('The token has no subject of 1 to 1000 bytes of UTF-8.')
    const checked = schema ? schema.safeParse(payload) : { success: true as const, data: payload }
    if (!checked.success) throw invalidToken('The token’s claims do not fit what this service expects.')
    const claims: Claims = Object.freeze({ ...payload, ...checked.data }) // the schema may have dropped keys that it does not name
    const caller = Object.freeze({
      subject: sub,
      issuer: iss,
      scopes: Object.freeze(scopesOf(claims)),
      claims,
    })
    cache.set(token, caller, exp)
    return caller
  }

  return (token) => cache.get(token) ?? verify(token)
}

/**
 * Whether `sub` can be stored and compared. A database cannot tell lone surrogates apart, cannot store NUL, and cannot
 * index more than 2,704 bytes. (OpenID Connect allows 255 characters of ASCII.)
 */
export function isSubject(sub: unknown): sub is string {
  if (typeof sub !== 'string' || sub === '' || sub.includes('\0')) return false
  return sub.isWellFormed() && Buffer.byteLength(sub) <= 1000
}

function invalidToken(detail: string, cause?: unknown): Problem {
  const headers = {
    'WWW-Authenticate': 'Bearer error="invalid_token", error_description="The token is not valid"',
  }
  return new Problem(problems.TOKEN_INVALID, { detail, headers, cause })
}

/** Turns an error of jose into a 401. A provider that cannot be reached is a 503. */
function toTokenProblem(error: unknown): unknown {
  if (error instanceof Problem) return error
  if (error instanceof KeySetUnavailableError)
    return new Problem(problems.IDENTITY_UNAVAILABLE, { headers: { 'Retry-After': '5' }, cause: error })
  if (error instanceof errors.JWTExpired) {
    const headers = {
      'WWW-Authenticate': 'Bearer error="invalid_token", error_description="The token has expired"',
    }
    return new Problem(problems.TOKEN_EXPIRED, { detail: 'Get a new token.', headers, cause: error })
  }
  if (error instanceof errors.JWTClaimValidationFailed)
    return invalidToken(`The claim ${error.claim} is missing or wrong.`, error)
  return invalidToken('The token is malformed or not signed by a key of ours.', error)
}
