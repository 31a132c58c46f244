import type { JWTPayload } from 'jose'

/** The claims of a verified token. `defineAuth` types claims of your own. */
export type Claims = JWTPayload

/** Who sent the request, as its verified token says. */
export interface Caller<C extends Claims = Claims> {
  /** The token's `sub`. */
  readonly subject: string
  /** The token's `iss`. */
  readonly issuer: string
  readonly scopes: readonly string[]
  readonly claims: Readonly<C>
}

/** Reads the scopes from a token's claims. Write one of your own for a provider that keeps them elsewhere. */
export type ScopesOf = (claims: Readonly<Claims>) => readonly string[]

/**
 * Reads the scopes from the claims where providers put them: `scope` (RFC 8693: a string with spaces), `scp` (Microsoft
 * Entra, Okta: a string or a list), `permissions` (Auth0) and `roles`. A token without any of these (Firebase, Google) has
 * no scopes: give `createApp` a `scopesOf` that grants what your users may do.
 */
export const scopesOf: ScopesOf = (claims) => [
  ...new Set(['scope', 'scp', 'permissions', 'roles'].flatMap((name) => scopeNames(claims[name]))),
]

function scopeNames(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ').filter(Boolean)
  return Array.isArray(claim) ? claim.filter((entry) => typeof entry === 'string') : []
}
