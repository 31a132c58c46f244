import type { Context } from 'hono'
import type { BaseEnv } from '../http/env.ts'
import { authenticationOf } from '../http/security.ts'
import { toProblem } from '../http/to-problem.ts'
import { causes } from '../kernel/causes.ts'
import { Problem, type ProblemDefinition, problems } from '../kernel/problem.ts'
import { declaredResponses } from './declared-responses.ts'
import type { ReplyCheck } from './response-check.ts'
import type { RouteDefinition } from './route.ts'

/** The problems that a route can respond with: those that it lists, and those that follow from its declaration. */
export function problemsOf(route: RouteDefinition, cookie: string | undefined): ProblemDefinition[] {
  const { security, request, idempotent, problems: own = [] } = route
  const p = problems
  const invoked = security === 'invoker'
  const { schemes, scopes } = authenticationOf(security)
  const byToken = schemes.includes('token')
  const byKey = schemes.some((scheme) => scheme !== 'token')
  const crossOrigin = byToken && cookie !== undefined && route.method !== 'get'
  const missing = schemes[0] === 'token' || invoked ? p.TOKEN_MISSING : p.API_KEY_MISSING
  return [
    ...[p.MALFORMED_REQUEST, p.VALIDATION_FAILED],
    ...(byToken || invoked ? [p.TOKEN_INVALID, p.TOKEN_EXPIRED, p.IDENTITY_UNAVAILABLE] : []),
    ...(security === 'public' || security === 'optional' ? [] : [missing]),
    ...(byKey ? [p.API_KEY_INVALID] : []),
    ...(scopes.length > 0 ? [p.SCOPE_MISSING] : []),
    ...(invoked ? [p.INVOKER_REQUIRED] : []),
    ...(crossOrigin ? [p.CROSS_ORIGIN] : []),
    ...(route.method === 'get' ? [] : [p.REQUEST_INCOMPLETE, p.BODY_TOO_LARGE]),
    ...(request?.body ? [p.UNSUPPORTED_MEDIA_TYPE] : []),
    ...(idempotent ? [p.IDEMPOTENCY_KEY_IN_USE, p.IDEMPOTENCY_KEY_REUSED] : []),
    ...own,
    ...[p.INTERNAL, p.OVERLOADED, p.DATABASE_UNAVAILABLE, p.DEADLINE_EXCEEDED],
  ]
}

/**
 * Creates the check of the problems that a route throws. If the contract does not list a problem, the response is a 500
 * whose log entry names it (`fail`), or the problem is sent with a warning in the log (`strip`).
 *
 * @param options.contentType the content type of problems. A route may also declare problems by status, such as `4XX`
 * @param options.hasMiddleware whether a middleware of the service or the feature may have thrown the problem
 */
export function problemCheck(
  route: RouteDefinition,
  options: { mode: ReplyCheck; cookie: string | undefined; contentType: string; hasMiddleware: boolean },
): (thrown: Error, c: Context<BaseEnv>) => Error {
  const listed = problemsOf(route, options.cookie)
  const codes = new Set(listed.map(({ code }) => code))
  const statuses = new Set(listed.map(({ status }) => status))
  const stated = declaredResponses(route.responses)
  const mend = options.hasMiddleware
    ? 'add it to the `problems` of the route, or of the middleware that throws it'
    : 'add it to its `problems`'

  return function checkProblem(thrown, c) {
    const {
      definition,
      options: { cause },
    } = toProblem(thrown)
    const { code, status } = definition
    if (codes.has(code) || stated(status)?.content.has(options.contentType)) return thrown
    if (statuses.has(status) && !isProblem(thrown)) return thrown
    const message = `${route.operationId} responded with ${status} and the problem ${code}, which its route does not list: ${mend}`
    if (options.mode === 'fail') return new Error(message, { cause })
    c.get('log').warn({ code }, message)
    return thrown
  }
}

/** Whether it is a `Problem`. Exceptions of Hono's middleware have a status, but no code that a route could list. */
function isProblem(thrown: Error): boolean {
  return causes(thrown).some((cause) => cause instanceof Problem)
}
