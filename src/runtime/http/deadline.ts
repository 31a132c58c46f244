import type { Context, MiddlewareHandler } from 'hono'
import { causes } from '../kernel/causes.ts'
import { currentRequest, endOfRequest } from '../kernel/context.ts'
import { Problem, problems } from '../kernel/problem.ts'
import { ClientLeft, onClientLeft } from './client-left.ts'
import type { BaseEnv } from './env.ts'
import { stateOf } from './request-state.ts'
import { isSettled, settle } from './settle.ts'

/**
 * Ends a request a little before Cloud Run would (which answers 504 and lets the container work on): aborts
 * `c.var.signal` and answers 503, or 408 where the client still owes us its body. The signal also aborts when
 * the client leaves. For a stream both hold until its end; a large response that the client has not taken by then is cut.
 *
 * @param options.timeout the service's request timeout in seconds
 */
export function deadline(options: { timeout: number }): MiddlewareHandler<BaseEnv> {
  const { timeout } = options
  const milliseconds = 1000 * (timeout - Math.min(5, timeout / 10))
  return async function deadline(c, next) {
    const controller = new AbortController()
    const abort = (reason: Error) => controller.abort(endOfRequest(reason))
    c.set('signal', controller.signal)
    const request = currentRequest()
    if (request) request.signal = controller.signal
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let end = () => {
      const problem = waitsForBody(c)
        ? new Problem(problems.REQUEST_INCOMPLETE, { headers: { Connection: 'close' } })
        : new Problem(problems.DEADLINE_EXCEEDED, { headers: { 'Retry-After': '1' } })
      abort(problem)
      reject(problem)
    }
    const timer = setTimeout(() => end(), milliseconds)
    const forget = onClientLeft(c, () => abort(new ClientLeft('The client left')))
    const release = () => {
      clearTimeout(timer)
      forget()
    }
    settled(c, next).then(resolve, reject)
    try {
      await promise
    } catch (error) {
      release()
      throw error
    }
    const stream = stateOf(c).stream
    const { outgoing } = c.env ?? {}
    if (stream?.response === c.res) stateOf(c).stream = { ...stream, release, abort }
    else if (stateOf(c).hold && outgoing && !outgoing.closed) {
      forget()
      outgoing.once('close', () => clearTimeout(timer))
      end = () => {
        c.get('log').warn('The client did not take its response before the deadline: it was cut')
        outgoing.destroy()
      }
    } else release()
  }
}

async function settled(c: Context<BaseEnv>, next: () => Promise<void>): Promise<void> {
  await next()
  if (!isSettled(c)) await settle(c)
}

/** Whether all that has arrived of the body was read, and the rest has not arrived. */
function waitsForBody({ env }: Context<BaseEnv>): boolean {
  const incoming = env?.incoming
  return (
    incoming !== undefined && !incoming.complete && incoming.readableDidRead && incoming.readableLength === 0
  )
}

/**
 * What a handler throws when the deadline has passed changes nothing: the answer is on its way.
 *
 * @returns never, where the deadline has passed
 * @throws what was thrown, where it has not
 */
export function ignoreAfterDeadline(c: Context<BaseEnv>, thrown: unknown): Promise<never> {
  const { reason } = c.get('signal')
  if (!(reason instanceof Problem)) throw thrown
  if (!causes(thrown).includes(reason))
    c.get('log').warn({ err: thrown }, 'The handler failed after its deadline')
  return new Promise(() => {})
}
