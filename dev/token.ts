import { parseArgs } from 'node:util'
import { createSigner, scopesIn } from '#runtime'
import { readContract } from './contract.ts'
import { developmentEnvironment, type Environment } from './settings.ts'

const usage = 'Usage: npm run -s token -- [--sub alice] [--scope "a:read a:write"] [--expires-in 90s|15m|24h]'

/**
 * A token that the service takes in development.
 *
 * @param options.scope scopes with spaces between; all that the committed contract names, if absent
 * @param options.expiresIn seconds
 * @throws if the service takes an identity provider's tokens only
 */
export function developmentToken(
  environment: Environment,
  options: { subject?: string; scope?: string; expiresIn?: number } = {},
): Promise<string> {
  const { subject = 'alice', expiresIn: ttl = 86_400 } = options
  const scopes = options.scope?.split(/\s+/).filter(Boolean) ?? scopesIn(readContract())
  const { AUTH_SECRET: secret, AUTH_JWKS_URL: provider } = environment
  const { AUTH_ISSUER: issuer = 'runway', AUTH_AUDIENCE: audience = 'runway' } = environment
  if (provider || !secret)
    throw new Error(`AUTH_JWKS_URL is set: get a token from that provider (${provider}).`)
  const sign = createSigner({ secret, issuer, audience, ttl })
  return sign({ subject, scopes })
}

/** Reads the arguments. @throws {TypeError} if one is unknown or wrong, as parseArgs does */
function readArguments(args: string[]) {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { sub: text, scope: text, 'expires-in': text } })
  const [, count, unit] = (values['expires-in'] ?? '24h').match(/^(\d{1,9})([smhd]?)$/) ?? []
  if (!Number(count)) throw new TypeError('--expires-in must be a duration such as 90s, 15m, 24h or 7d')
  if (values.sub?.trim() === '') throw new TypeError('--sub must not be empty')
  const seconds = { s: 1, m: 60, h: 3600, d: 86_400 }[unit || 's'] ?? 1
  return {
    expiresIn: Number(count) * seconds,
    ...(values.sub !== undefined && { subject: values.sub }),
    ...(values.scope !== undefined && { scope: values.scope }),
  }
}

if (import.meta.main) {
  try {
    const options = readArguments(process.argv.slice(2))
    console.log(await developmentToken(developmentEnvironment(), options))
  } catch (error) {
    const wrongArguments = error instanceof TypeError
    console.error(`${error instanceof Error ? error.message : error}${wrongArguments ? `\n${usage}` : ''}`)
    process.exitCode = wrongArguments ? 2 : 1
  }
}
