import { type Duration, toMilliseconds } from '../kernel/duration.ts'

/**
 * An error that no retry can repair. The task is dead at once. `fatal` creates it.
 *
 * @example
 * fatal('The address does not exist') instanceof FatalError // → true
 */
export class FatalError extends Error {
  override readonly name = 'FatalError'
}

/**
 * An error that says when to retry. `retryAfter` creates it.
 *
 * @example
 * retryAfter('30s', 'The warehouse is busy') instanceof RetryAfterError // → true
 */
export class RetryAfterError extends Error {
  override readonly name = 'RetryAfterError'
  /** In milliseconds. */
  readonly delayMs: number

  constructor(delay: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.delayMs = delay
  }
}

/**
 * Creates an error that marks the task as dead at once: `throw fatal('The address does not exist')`.
 *
 * @example
 * const error = fatal('The address does not exist') // throw it in `run`
 */
export function fatal(message: string, options?: ErrorOptions): FatalError {
  return new FatalError(message, options)
}

/**
 * Creates an error that sets when the task is retried, if it has attempts left: `throw retryAfter('30s', 'Too busy')`.
 *
 * @example
 * const error = retryAfter('30s', 'The warehouse is busy') // throw it in `run`
 */
export function retryAfter(delay: Duration, message: string, options?: ErrorOptions): RetryAfterError {
  return new RetryAfterError(toMilliseconds(delay), message, options)
}
