import type { MiddlewareHandler } from 'hono'
import { onClientLeft } from './client-left.ts'
import type { BaseEnv } from './env.ts'
import { Problem, problems } from './problem.ts'

/**
 * Ends a request a little before Cloud Run would (which answers 504 and lets the container work on): aborts
 * `c.var.signal` and answers 503. The signal also aborts when the client leaves.
 *
 * @param options.timeout the service's request timeout in seconds
 */
export function deadline(options: { timeout: number }): MiddlewareHandler<BaseEnv> {
  const { timeout } = options
  const milliseconds = 1000 * (timeout - Math.min(5, timeout / 10))
  return async function deadline(c, next) {
    const controller = new AbortController()
    const { promise, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      const problem = new Problem(problems.DEADLINE_EXCEEDED, { headers: { 'Retry-After': '1' } })
      controller.abort(problem)
      reject(problem)
    }, milliseconds)
    const forget = onClientLeft(c, () => controller.abort(new Error('The client left')))
    c.set('signal', controller.signal)
    try {
      await Promise.race([next(), promise])
    } finally {
      clearTimeout(timer)
      forget()
    }
  }
}
