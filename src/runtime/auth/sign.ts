import { SignJWT } from 'jose'

/** What a token says. */
export interface TokenOptions {
  readonly subject: string
  readonly scopes?: readonly string[]
  /** Claims of the fork's own; the registered ones stay the runtime's. */
  readonly claims?: Record<string, unknown>
  /** Seconds; AUTH_TOKEN_TTL if absent. */
  readonly expiresIn?: number
}

/** Issues a token, for a login route or a script. */
export type SignToken = (token: TokenOptions) => Promise<string>

/**
 * A signer of the service's own tokens (HS256).
 *
 * @param options.ttl how long a token is good for, in seconds, unless it says so itself
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
