import type { Context, MiddlewareHandler } from 'hono'
import { causes } from '../kernel/causes.ts'
import { currentRequest, markEndOfRequest } from '../kernel/context.ts'
import { Problem, problems } from '../kernel/problem.ts'
import { requestMarginMs } from '../kernel/request-margin.ts'
import { ClientDisconnectedError, onClientDisconnect } from './client-disconnect.ts'
import type { BaseEnv } from './env.ts'
import { prepareResponse } from './prepare-response.ts'
import { stateOf } from './request-state.ts'
import { isPrepared } from './response.ts'

/**
 * Ends a request shortly before Cloud Run would. (Cloud Run responds with 504, and the container keeps working.) It aborts
 * `c.var.signal` and responds with 503; with 408, if the client has not sent its whole body. The signal also aborts when
 * the client disconnects. For a stream, the deadline applies until its end. A large response that the client has not
 * read by then is cut.
 *
 * @param options.timeoutSeconds the service's request timeout: REQUEST_TIMEOUT
 * @example
 * app.use(deadline({ timeoutSeconds: config.REQUEST_TIMEOUT }))
 */
export function deadline(options: { timeoutSeconds: number }): MiddlewareHandler<BaseEnv> {
  const { timeoutSeconds } = options
  const deadlineMs = 1000 * timeoutSeconds - requestMarginMs(timeoutSeconds)
  return async function deadline(c, next) {
    const controller = new AbortController()
    const abort = (reason: Error) => controller.abort(markEndOfRequest(reason))
    c.set('signal', controller.signal)
    const request = currentRequest()
    if (request) {
      request.signal = controller.signal
      request.endsAt = performance.now() + deadlineMs
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let end = () => {
      const problem = waitsForBody(c)
        ? new Problem(problems.REQUEST_INCOMPLETE, { headers: { Connection: 'close' } })
        : new Problem(problems.DEADLINE_EXCEEDED, { headers: { 'Retry-After': '1' } })
      abort(problem)
      reject(problem)
    }
    const timer = setTimeout(() => end(), deadlineMs)
    const forget = onClientDisconnect(c, () => abort(new ClientDisconnectedError('The client left')))
    const release = () => {
      clearTimeout(timer)
      forget()
    }
    runAndPrepare(c, next).then(resolve, reject)
    try {
      await promise
    } catch (error) {
      release()
      throw error
    }
    const stream = stateOf(c).stream
    const { outgoing } = c.env ?? {}
    if (stream?.response === c.res) stateOf(c).stream = { ...stream, release, abort }
    else if (stateOf(c).memory && outgoing && !outgoing.closed) {
      forget()
      outgoing.once('close', () => clearTimeout(timer))
      end = () => {
        c.get('log').warn('The client did not take its response before the deadline: it was cut')
        outgoing.destroy()
      }
    } else release()
  }
}

async function runAndPrepare(c: Context<BaseEnv>, next: () => Promise<void>): Promise<void> {
  await next()
  if (!isPrepared(c)) await prepareResponse(c)
}

/** Whether the rest of the body has not arrived, and everything that has arrived was read. */
function waitsForBody({ env }: Context<BaseEnv>): boolean {
  const incoming = env?.incoming
  return (
    incoming !== undefined && !incoming.complete && incoming.readableDidRead && incoming.readableLength === 0
  )
}

/**
 * Ignores what a handler throws after its deadline, because the response is sent already.
 *
 * @returns never resolves, if the deadline has passed
 * @throws what was thrown, if it has not
 */
export function ignoreAfterDeadline(c: Context<BaseEnv>, thrown: unknown): Promise<never> {
  const { reason } = c.get('signal')
  if (!(reason instanceof Problem)) throw thrown
  if (!causes(thrown).includes(reason))
    c.get('log').warn({ err: thrown }, 'The handler failed after its deadline')
  return new Promise(() => {})
}
