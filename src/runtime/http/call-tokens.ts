import { type CallIdentity, currentRequest, type RequestContext } from '../kernel/context.ts'
import type { CallOptions } from './call-options.ts'

const serverless = 'x-serverless-authorization'

/**
 * Adds the tokens that a call asks for to its headers.
 *
 * @throws {Error} if one cannot be given, with what to write instead
 */
export async function addTokens(
  headers: Headers,
  { as, idToken, audience }: Pick<CallOptions, 'as' | 'idToken'> & { audience: string },
  signal: AbortSignal,
): Promise<void> {
  if (!as && !idToken) return
  const request = currentRequest()
  const { identity } = request ?? {}
  if (!request || !identity) throw new Error('Only a call inside a request or a task can act as someone.')
  if (as && headers.has('authorization'))
    throw new Error(
      `A call as the ${as} writes its own Authorization: leave out that header, or leave out \`as\`.`,
    )
  if (as === 'caller') headers.set('authorization', `Bearer ${await callerToken(request, identity)}`)
  if (as === 'service') headers.set('authorization', `Bearer ${await identity.idToken(audience, signal)}`)
  if (idToken) headers.set(serverless, `Bearer ${await identity.idToken(audience, signal)}`)
}

async function callerToken(request: RequestContext, identity: CallIdentity): Promise<string> {
  const { task, subject, token, callerScopes } = request
  if (!task && token) return token
  if (!task)
    throw new Error(
      "A call as the caller forwards the request's token, and this request has none: write as: 'service', or a security that needs a token.",
    )
  if (!callerScopes)
    throw new Error(
      `The task ${task.name} calls as its caller: give it callerScopes, the scopes of these calls.`,
    )
  if (subject === undefined)
    throw new Error(`The task ${task.name} was enqueued without a caller: write as: 'service'.`)
  return identity.signFor(subject, callerScopes)
}

/** The other service has refused the ID token: the next call fetches a new one. */
export function refuseToken(headers: Headers, audience: string): void {
  for (const name of ['authorization', serverless]) {
    const token = headers.get(name)?.replace('Bearer ', '')
    if (token) currentRequest()?.identity?.invalidate(audience, token)
  }
}
