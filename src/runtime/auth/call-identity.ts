import { type AccessTokens, createAccessTokens } from '../google/access-tokens.ts'
import { fetchIdToken } from '../google/metadata-server.ts'
import type { CallIdentity } from '../kernel/context.ts'
import type { SignToken } from './sign.ts'

/** How long a token is valid that a task's call carries: longer than any call takes. */
const signedSeconds = 300
/** A service calls few others. Tokens of more audiences than this are fetched again. */
const maxAudiences = 100

/** Creates what gives the tokens of `call`. ID tokens are kept until shortly before they expire, one for each audience. */
export function createCallIdentity(metadataHost: string, signToken: SignToken): CallIdentity {
  const audiences = new Map<string, AccessTokens>()

  function tokensFor(audience: string): AccessTokens {
    const known = audiences.get(audience)
    if (known) return known
    const tokens = createAccessTokens(
      (signal) => fetchIdToken(metadataHost, audience, signal),
      `The service’s ID token for ${audience}`,
    )
    const [oldest = ''] = audiences.keys()
    if (audiences.size >= maxAudiences) audiences.delete(oldest)
    audiences.set(audience, tokens)
    return tokens
  }

  return {
    idToken: (audience, signal) => tokensFor(audience).get(signal),
    invalidate: (audience, token) => audiences.get(audience)?.invalidate(token),
    signFor: (subject, scopes) => signToken({ subject, scopes, expiresIn: signedSeconds }),
  }
}
