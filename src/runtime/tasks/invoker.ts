import { createVerifier } from '../auth/verify.ts'
import { bearerToken } from '../http/credentials.ts'
import type { Step } from '../http/validation.ts'
import { Problem, problems } from '../kernel/problem.ts'
import type { Log } from '../log/logger.ts'

/**
 * Creates the check of calls by Cloud Tasks and Cloud Scheduler. It verifies Google's OIDC token: RS256, issuer, audience
 * and expiry, then that the e-mail is that of the one account. `X-CloudTasks-*` headers prove nothing and are ignored.
 *
 * @throws {Problem} 401 for a token that is missing or invalid, 403 for a valid token of another account
 * @see https://cloud.google.com/tasks/docs/creating-http-target-tasks#token
 */
export function admitInvoker(options: {
  account: string
  issuers: readonly string[]
  audience: string
  jwksUrl: string
  log: Log
}): Step {
  const { account, issuers, audience, jwksUrl, log } = options
  const verify = createVerifier({ jwksUrl, issuer: [...issuers], audience, algorithms: ['RS256'] })
  return async function invoker(c) {
    const token = bearerToken(c)
    if (!token) {
      throw new Problem(problems.TOKEN_MISSING, {
        detail: 'This route is for Cloud Tasks and Cloud Scheduler: they send an OIDC token.',
        headers: { 'WWW-Authenticate': 'Bearer' },
      })
    }
    if (token.endsWith('SIGNATURE_REMOVED_BY_GOOGLE')) {
      log.warn(
        'A callback came with its signature removed, because Cloud Run has checked it at the IAM layer. Deploy the ' +
          'service with --no-invoker-iam-check, so that it can verify callers itself.',
      )
    }
    const { claims } = await verify(token)
    if (claims.email !== account || claims.email_verified !== true) {
      throw new Problem(problems.INVOKER_REQUIRED, {
        detail: 'The token belongs to another account, or its e-mail is not verified: see TASKS_INVOKER.',
      })
    }
  }
}
