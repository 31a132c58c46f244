import type { Config } from '../config/config.ts'
import { ownedHosts } from '../config/owned-hosts.ts'
import type { CallIdentity } from '../kernel/context.ts'
import { createCallIdentity } from './call-identity.ts'
import { createSigner, type SignToken } from './sign.ts'
import { type AuthOptions, createVerifier, type VerifyToken } from './verify.ts'

/** How tokens are verified and issued, as the configuration says. */
export interface Authentication {
  readonly verify: VerifyToken
  readonly signToken: SignToken
  /** The service's own origins. A request whose token is in a cookie must come from one of them. */
  readonly origins: readonly string[]
  /** Gives the tokens of `call`. */
  readonly identity: CallIdentity
}

/**
 * Sets up the verification and signing of tokens from AUTH_SECRET or AUTH_JWKS_URL. It sends no request yet.
 *
 * @example
 * const { verify, signToken, origins } = createAuthentication(config)
 */
export function createAuthentication(config: Config, options: AuthOptions = {}): Authentication {
  const { AUTH_SECRET: secret, AUTH_JWKS_URL: jwksUrl, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = config
  const signToken = secret
    ? createSigner({ secret, issuer, audience, ttl: config.AUTH_TOKEN_TTL })
    : cannotSign
  return {
    verify: createVerifier({ secret, jwksUrl, issuer, audience, ...options }),
    signToken,
    identity: createCallIdentity(config.GCE_METADATA_HOST, signToken),
    origins: [
      ...(config.SERVICE_URL ? [config.SERVICE_URL] : []),
      ...ownedHosts(config).map((host) => `https://${host}`),
    ],
  }
}

const cannotSign: SignToken = async () => {
  throw new Error(
    'The service can issue tokens only with AUTH_SECRET: with AUTH_JWKS_URL, the provider issues them.',
  )
}
