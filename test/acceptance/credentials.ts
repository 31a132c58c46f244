// not by #runtime: to load all of it takes longer than the tests
import { createSigner } from '#src/runtime/auth/sign.ts'
import { statedScopes as scopes } from './contract.ts'

/** Gives tokens to the tests. */
export interface Credentials {
  /** Each subject gets a token of its own; or all get the one that there is; or there is none, on purpose. */
  readonly subjects: 'many' | 'one' | 'none'
  /** Rejects where there is none. */
  token(subject: string): Promise<string>
}

/** How to give credentials, for a person. */
export const howToGive = `Give credentials in the environment, for a token with the scopes that the contract names${scopes.length > 0 ? ` (${scopes.join(', ')})` : ''}:
  ACCEPTANCE_TOKEN    a token, as it is; or the word none, to leave out the tests that need one
  AUTH_SECRET         the service's own secret, to sign tokens with (and AUTH_ISSUER, AUTH_AUDIENCE if not 'service')
  SERVERLESS_TOKEN    beside either: an ID token, where Cloud Run itself asks for one`

/**
 * Reads the credentials: ACCEPTANCE_TOKEN, else AUTH_SECRET, else what development has, for a service on this
 * machine.
 *
 * @returns `undefined` where nothing is said of any
 */
export async function readCredentials(
  url: string,
  environment: Record<string, string | undefined> = process.env,
): Promise<Credentials | undefined> {
  const given = environment.ACCEPTANCE_TOKEN?.trim()
  if (given === 'none') return { subjects: 'none', token: async () => Promise.reject(new Error(howToGive)) }
  if (given) return { subjects: 'one', token: async () => given }
  const set = environment.AUTH_SECRET || !isLocal(url) ? environment : await developmentEnvironment()
  const secret = set.AUTH_SECRET?.replace(/[\r\n]+$/, '') // as the service reads it
  if (!secret) return undefined
  const [issuer, audience] = [set.AUTH_ISSUER || 'service', set.AUTH_AUDIENCE || 'service']
  const sign = createSigner({ secret, issuer, audience, ttl: 3600 })
  return { subjects: 'many', token: (subject) => sign({ subject, scopes }) }
}

/** What every request carries beside its own headers. */
export function serverlessHeaders(environment = process.env): Record<string, string> {
  const token = environment.SERVERLESS_TOKEN
  return token ? { 'X-Serverless-Authorization': `Bearer ${token}` } : {}
}

function isLocal(url: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname)
}

/** Loaded for a service on this machine only: what is deployed is tested without `dev/`. */
async function developmentEnvironment(): Promise<Record<string, string>> {
  const { developmentEnvironment } = await import('#dev/machine/settings.ts')
  return developmentEnvironment()
}
