import { type Duration, milliseconds } from '../kernel/duration.ts'

/** An error that no further attempt would mend: the task is dead at once. */
export class FatalError extends Error {
  override readonly name = 'FatalError'
}

/** An error that says itself when to try again. */
export class RetryAfterError extends Error {
  override readonly name = 'RetryAfterError'
  /** Milliseconds. */
  readonly delay: number

  constructor(delay: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.delay = delay
  }
}

/** `throw fatal('…')` in a task: it is not tried again. */
export function fatal(message: string, options?: ErrorOptions): FatalError {
  return new FatalError(message, options)
}

/** `throw retryAfter('30s', '…')` in a task: the next attempt, if any is left, comes then. */
export function retryAfter(delay: Duration, message: string, options?: ErrorOptions): RetryAfterError {
  return new RetryAfterError(milliseconds(delay), message, options)
}
