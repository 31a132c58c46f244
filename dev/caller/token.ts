import { createSigner, scopesIn } from '#runtime'
import type { Environment } from '../machine/settings.ts'
import { readContract } from './contract.ts'

/**
 * A token that the service accepts in development.
 *
 * @param options.subject `alice` if absent
 * @param options.scope scopes with spaces between them; all scopes of the committed contract if absent
 * @param options.expiresIn seconds; a day if absent
 * @throws if the service accepts only the tokens of an identity provider
 */
export function developmentToken(
  environment: Environment,
  options: { subject?: string; scope?: string; expiresIn?: number } = {},
): Promise<string> {
  const { subject = 'alice', expiresIn: ttl = 86_400 } = options
  const scopes = options.scope?.split(/\s+/).filter(Boolean) ?? scopesIn(readContract())
  const { AUTH_SECRET: secret, AUTH_JWKS_URL: provider } = environment
  const { AUTH_ISSUER: issuer = 'service', AUTH_AUDIENCE: audience = 'service' } = environment
  if (provider || !secret)
    throw new Error(`AUTH_JWKS_URL is set: get a token from that provider (${provider}).`)
  const sign = createSigner({ secret, issuer, audience, ttl })
  return sign({ subject, scopes })
}

/** Adds what `/docs` and the dashboard offer by one click: a token of alice, unless an identity provider issues the tokens. */
export async function withDocsToken(environment: Environment): Promise<Environment> {
  if (environment.AUTH_JWKS_URL) return environment
  return { DOCS_TOKEN: await developmentToken(environment, { expiresIn: 30 * 86_400 }), ...environment }
}
