import type { Context } from 'hono'
import type { AnyCaller, ApiKey, KeyCaller } from '../auth/api-key.ts'
import type { Caller, Claims } from '../auth/caller.ts'
import type { VerifyToken } from '../auth/verify.ts'
import type { Database } from '../database/database.ts'
import { currentRequest } from '../kernel/context.ts'
import { Problem, problems } from '../kernel/problem.ts'
import { type Credential, keyCredential, tokenCredential } from './credentials.ts'
import type { CallerEnv } from './env.ts'
import type { Step } from './validation.ts'

/** A way to authenticate: the service's token, or an API key (see `defineApiKey`). */
export type Scheme = 'token' | ApiKey

/**
 * The ways to authenticate on a route, if the token is not the only one. A request needs one of them. If it has several,
 * the first in this list decides.
 */
export interface SchemesSecurity {
  readonly schemes: readonly [Scheme, ...Scheme[]]
  /** The caller must have all of these. If absent, the caller needs none. */
  readonly scopes?: readonly string[]
}

/**
 * Who may call a route: anyone (`public`), anyone with or without a valid token (`optional`), anyone with a
 * valid token (`authenticated`), callers whose token has all of these scopes, callers who authenticate by one of these
 * schemes, or the account that Cloud Tasks and Cloud Scheduler call as (`invoker`).
 */
export type Security =
  | 'public'
  | 'optional'
  | 'authenticated'
  | 'invoker'
  | readonly [string, ...string[]]
  | SchemesSecurity

/** What `security` adds to a handler's `c.var`. */
export type CallerVariables<S, C extends Claims = Claims> = S extends 'public' | 'invoker'
  ? { caller?: undefined }
  : S extends 'optional'
    ? { caller: Caller<C> | undefined }
    : S extends { schemes: readonly (infer One)[] }
      ? { caller: CallerBy<One, C> }
      : { caller: Caller<C> }

type CallerBy<One, C extends Claims> = One extends ApiKey<infer Owner> ? KeyCaller<Owner> : Caller<C>

/** The ways to authenticate on a route, and the scopes that it requires. Public and `invoker` routes have neither. */
export function authenticationOf(security: Security): {
  schemes: readonly Scheme[]
  scopes: readonly string[]
} {
  if (security === 'public' || security === 'invoker') return { schemes: [], scopes: [] }
  if (typeof security === 'string') return { schemes: ['token'], scopes: [] }
  return 'schemes' in security
    ? { schemes: security.schemes, scopes: security.scopes ?? [] }
    : { schemes: ['token'], scopes: security }
}

/** The service's settings for authentication. */
export interface SecurityOptions {
  readonly verify: VerifyToken
  /** The name of the cookie that may carry the token. The Authorization header has precedence. */
  readonly cookie: string | undefined
  /** The service's own origins. */
  readonly origins: readonly string[]
  /** Where API keys are looked up. */
  readonly database: Database
  /** Checks calls of the invoker. A service without tasks has none. */
  readonly invoker?: Step | undefined
}

/**
 * Enforces the security that a route declares. 401 and 403 follow RFC 6750, also for API keys.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 */
export function security(required: Exclude<Security, 'public'>, options: SecurityOptions): Step {
  if (required === 'invoker') return options.invoker ?? refuseAll
  const { schemes, scopes } = authenticationOf(required)
  const credentials = schemes.map((scheme) =>
    scheme === 'token' ? tokenCredential(options) : keyCredential(scheme, options.database),
  )

  function admit(c: Context<CallerEnv>, caller: AnyCaller, credential: Credential, sent: string): undefined {
    c.set('caller', caller)
    const request = currentRequest()
    if (request) {
      request.subject = caller.subject
      if (credential.noun === 'token') request.token = sent
    }
    const missing = scopes.filter((scope) => !caller.scopes.includes(scope))
    if (missing.length > 0) throw scopeMissing(scopes, missing, credential)
  }

  return function security(c) {
    for (const credential of credentials) {
      const sent = credential.read(c)
      if (!sent) continue
      const caller = credential.verify(c, sent)
      return caller instanceof Promise
        ? caller.then((verified) => admit(c, verified, credential, sent))
        : admit(c, caller, credential, sent)
    }
    if (required === 'optional') return undefined
    throw credentialMissing(credentials)
  }
}

function refuseAll(): never {
  throw new Problem(problems.TOKEN_INVALID, {
    detail: 'This service has no invoker, because it defines no tasks.',
  })
}

/** The 401 for a request without credentials. Its code is that of the route's first scheme. */
function credentialMissing(credentials: readonly Credential[]): Problem {
  return new Problem(credentials[0]?.missing ?? problems.TOKEN_MISSING, {
    detail: credentials.map(({ hint }) => hint).join(' Or: '),
    headers: { 'WWW-Authenticate': credentials.map(({ challenge }) => challenge).join(', ') },
  })
}

function scopeMissing(
  scopes: readonly string[],
  missing: readonly string[],
  { challenge, noun }: Credential,
): Problem {
  const separator = challenge.includes(' ') ? ', ' : ' '
  return new Problem(problems.SCOPE_MISSING, {
    detail: `The ${noun} lacks: ${missing.join(' ')}.`,
    headers: {
      'WWW-Authenticate': `${challenge}${separator}error="insufficient_scope", scope="${scopes.join(' ')}"`,
    },
  })
}
