import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import type { Caller, Claims } from '../auth/caller.ts'
import type { VerifyToken } from '../auth/verify.ts'
import { currentRequest } from '../kernel/context.ts'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { refuseCrossOrigin } from './same-origin.ts'
import type { Step } from './validation.ts'

/**
 * Who may call a route: anyone (`public`), anyone with or without a valid token (`optional`), anyone with a
 * valid token (`authenticated`), those whose token has all of these scopes, or the account that Cloud Tasks and
 * Cloud Scheduler call as (`invoker`).
 */
export type Security = 'public' | 'optional' | 'authenticated' | 'invoker' | readonly [string, ...string[]]

/** What `security` adds to a handler's `c.var`. */
export type CallerVariables<S, C extends Claims = Claims> = S extends 'public' | 'invoker'
  ? { caller?: undefined }
  : S extends 'optional'
    ? { caller: Caller<C> | undefined }
    : { caller: Caller<C> }

/** The service's settings for authentication. */
export interface SecurityOptions {
  readonly verify: VerifyToken
  /** The name of the cookie that may carry the token. The Authorization header has precedence. */
  readonly cookie: string | undefined
  /** The service's own origins. */
  readonly origins: readonly string[]
  /** Checks calls of the invoker. A service without tasks has none. */
  readonly invoker?: Step | undefined
}

type CallerEnv = BaseEnv & { Variables: { caller?: Caller } }

const isUnsafe = (method: string) => !['GET', 'HEAD', 'OPTIONS'].includes(method)

/**
 * Enforces the security that a route declares. 401 and 403 follow RFC 6750.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 */
export function security(required: Exclude<Security, 'public'>, options: SecurityOptions): Step {
  const { verify, cookie, origins, invoker } = options
  if (required === 'invoker') return invoker ?? refuseAll
  const scopes = typeof required === 'string' ? [] : required

  function admit(c: Context<CallerEnv>, caller: Caller): undefined {
    c.set('caller', caller)
    const request = currentRequest()
    if (request) request.subject = caller.subject
    const missing = scopes.filter((scope) => !caller.scopes.includes(scope))
    if (missing.length > 0) throw scopeMissing(scopes, missing)
  }

  return function security(c) {
    const header = bearerToken(c)
    const token = header ?? (cookie && getCookie(c, cookie))
    if (!token) {
      if (required === 'optional') return undefined
      throw new Problem(problems.TOKEN_MISSING, {
        detail: 'Send a token: Authorization: Bearer <token>.',
        headers: { 'WWW-Authenticate': 'Bearer' },
      })
    }
    if (!header && isUnsafe(c.req.method)) refuseCrossOrigin(c, origins)
    const caller = verify(token)
    return caller instanceof Promise ? caller.then((verified) => admit(c, verified)) : admit(c, caller)
  }
}

function refuseAll(): never {
  throw new Problem(problems.TOKEN_INVALID, {
    detail: 'This service has no invoker, because it defines no tasks.',
  })
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

function scopeMissing(scopes: readonly string[], missing: readonly string[]): Problem {
  return new Problem(problems.SCOPE_MISSING, {
    detail: `The token lacks: ${missing.join(' ')}.`,
    headers: { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${scopes.join(' ')}"` },
  })
}
