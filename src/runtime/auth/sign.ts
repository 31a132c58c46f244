import { SignJWT } from 'jose'

/** The contents of a token. */
export interface TokenOptions {
  readonly subject: string
  readonly scopes?: readonly string[]
  /** Claims of your own. The runtime sets the registered ones. */
  readonly claims?: Record<string, unknown>
  /** How long the token is valid, in seconds; AUTH_TOKEN_TTL if absent. */
  readonly expiresIn?: number
}

/** Issues a token: for a login route or a script. */
export type SignToken = (token: TokenOptions) => Promise<string>

/**
 * Creates the signer of the service's own tokens (HS256). Handlers get one as `signToken`.
 *
 * @param options.ttl how long a token is valid, in seconds, unless `expiresIn` is given
 * @example
 * const signToken = createSigner({ secret: 'x'.repeat(32), issuer: 'orders', audience: 'orders', ttl: 3600 })
 * const token = await signToken({ subject: 'alice', scopes: ['orders:read'] })
 */
export function createSigner(options: {
  secret: string
  issuer: string
  audience: string
  ttl: number
}): SignToken {
  const { secret, issuer, audience, ttl } = options
  const key = new TextEncoder().encode(secret)
  return async function signToken({ subject, scopes = [], claims = {}, expiresIn = ttl }) {
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({ ...claims, scope: scopes.join(' ') })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(subject)
      .setIssuedAt(now)
      .setExpirationTime(now + expiresIn)
      .sign(key)
  }
}
