import { type Duration, toMilliseconds } from '../kernel/duration.ts'

/** How often a task, or a step of it, is tried, and how long the waits between two tries are. */
export interface RetryOptions {
  readonly attempts?: number
  readonly backoff?: { readonly min?: Duration; readonly max?: Duration }
}

/** The same with nothing left out. `minMs` and `maxMs` are the shortest and the longest wait, in milliseconds. */
export interface Retry {
  readonly attempts: number
  readonly minMs: number
  readonly maxMs: number
}

const defaults: Retry = { attempts: 8, minMs: 5_000, maxMs: 600_000 }

/**
 * Checks retry options, and fills in what is left out.
 *
 * @param what whose they are, for the message
 * @param others what stands for the options that are left out
 * @throws {TypeError} for a number below 1, a duration out of bounds, and a shortest wait that is longer than the longest
 */
export function parseRetry(what: string, options: RetryOptions = {}, others: Retry = defaults): Retry {
  const { attempts = others.attempts, backoff = {} } = options
  const length = (name: 'min' | 'max', otherwise: number) =>
    backoff[name] === undefined ? otherwise : toMilliseconds(backoff[name], `${what}: retry.backoff.${name}`)
  const minMs = length('min', others.minMs)
  const maxMs = length('max', others.maxMs)
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new TypeError(`${what}: retry.attempts must be a whole number, 1 or more.`)
  if (minMs > maxMs)
    throw new TypeError(
      `${what}: retry.backoff.min is above retry.backoff.max (if not given, they are ${others.minMs / 1000}s and ${others.maxMs / 60_000}m).`,
    )
  return { attempts, minMs, maxMs }
}

/**
 * How long to wait after a failed attempt, in milliseconds. It doubles from `minMs` to `maxMs`. Up to half of it is subtracted
 * at random, so that tasks that failed together are not retried together.
 *
 * @param attempt the number of the failed attempt, from 1
 */
export function backoffMs({ minMs, maxMs }: Retry, attempt: number): number {
  const full = Math.min(maxMs, minMs * 2 ** Math.min(attempt - 1, 30))
  return Math.round(full * (1 - Math.random() / 2))
}
