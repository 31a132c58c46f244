import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import type { AnyCaller, ApiKey, KeyCaller } from '../auth/api-key.ts'
import { isSubject, type VerifyToken } from '../auth/verify.ts'
import type { Database } from '../database/database.ts'
import { Problem, type ProblemDefinition, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { refuseCrossOrigin } from './same-origin.ts'

/** How a route reads and verifies one kind of credential: the token, or an API key. */
export interface Credential {
  /** The credential that the request has sent, if any. @throws {Problem} if it is malformed */
  read(c: Context<BaseEnv>): string | undefined
  /** Finds the caller. @throws {Problem} if the credential is not valid */
  verify(c: Context<BaseEnv>, credential: string): AnyCaller | Promise<AnyCaller>
  /** The value of `WWW-Authenticate`, to which errors add parameters. */
  readonly challenge: string
  /** The sentence that says what to send. */
  readonly hint: string
  readonly missing: ProblemDefinition
  /** What problems call the credential. */
  readonly noun: 'token' | 'API key'
}

const isUnsafe = (method: string) => !['GET', 'HEAD', 'OPTIONS'].includes(method)

/** The token, in the Authorization header or in the cookie. */
export function tokenCredential(options: {
  verify: VerifyToken
  cookie: string | undefined
  origins: readonly string[]
}): Credential {
  const { verify, cookie, origins } = options
  return {
    read(c) {
      const header = bearerToken(c)
      if (header || !cookie) return header
      const token = getCookie(c, cookie)
      if (token && isUnsafe(c.req.method)) refuseCrossOrigin(c, origins)
      return token
    },
    verify: (_c, token) => verify(token),
    challenge: 'Bearer',
    hint: 'Send a token: Authorization: Bearer <token>.',
    missing: problems.TOKEN_MISSING,
    noun: 'token',
  }
}

/** An API key. (Pages of other origins cannot send its header, unless CORS_ORIGINS allows it.) */
export function keyCredential(scheme: ApiKey, database: Database): Credential {
  const { name, header } = scheme
  const issuer = `api-key:${name}`
  const challenge = `ApiKey header="${header}"`

  async function verify(c: Context<BaseEnv>, key: string): Promise<KeyCaller> {
    const owner = isKey(key) ? await scheme.findOwner(key, { database, signal: c.get('signal') }) : undefined
    if (!owner)
      throw new Problem(problems.API_KEY_INVALID, {
        detail: `The ${header} header has no valid key.`,
        headers: { 'WWW-Authenticate': challenge },
      })
    if (!isSubject(owner.subject))
      throw new Error(`The API key ${name} has an owner whose subject is not text of 1 to 1,000 bytes.`)
    return Object.freeze({ ...owner, issuer, scopes: owner.scopes ?? [] })
  }

  return {
    read: (c) => c.req.header(header),
    ...{ verify, challenge },
    hint: `Send an API key: ${header}: <key>.`,
    missing: problems.API_KEY_MISSING,
    noun: 'API key',
  }
}

/** Whether a text can be a key. If not, the database is not asked. */
function isKey(text: string): boolean {
  return /^[!-~]{1,512}$/.test(text)
}

/**
 * The token in the Authorization header, if any.
 *
 * @throws {Problem} TOKEN_INVALID for any other scheme
 */
export function bearerToken(c: Context): string | undefined {
  const header = c.req.header('authorization')
  if (!header) return undefined
  const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(header)?.[1]
  if (token) return token
  throw new Problem(problems.TOKEN_INVALID, {
    detail: 'The Authorization header must be: Bearer <token>.',
    headers: {
      'WWW-Authenticate': 'Bearer error="invalid_token", error_description="The token is not valid"',
    },
  })
}
