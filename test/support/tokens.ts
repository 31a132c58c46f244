import { createSigner, type TokenOptions } from '#src/runtime/auth/sign.ts'

/** What the test service verifies tokens with. */
export const testAuth = { secret: 'b4Jq0Zr8Vt2Nw6Xy1Kd5Hg9Lm3Pc7Sf0', issuer: 'service', audience: 'service' }

/** Signs a token of the test service's own. */
export const signTestToken = createSigner({ ...testAuth, ttl: 3600 })

/** The headers of a caller: `client(app, await as('alice', ['notes:read']))`. */
export async function as(
  subject: string,
  scopes: readonly string[] = [],
  more: Omit<TokenOptions, 'subject' | 'scopes'> = {},
): Promise<Record<string, string>> {
  return { Authorization: `Bearer ${await signTestToken({ subject, scopes, ...more })}` }
}
