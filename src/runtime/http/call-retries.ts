import { abortable } from '../kernel/abortable-wait.ts'
import { currentRequest } from '../kernel/context.ts'
import { CallError } from './call-error.ts'

/** The methods that have one effect, however often they are sent (RFC 9110, section 9.2.2). */
const idempotentMethods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']
/** The statuses that say: later. */
const transientStatuses = [408, 425, 429, 502, 503, 504]
/** The wait before the second attempt; each further one waits twice as long. Up to half is subtracted at random. */
const firstWaitMs = 200
/** What asks for a longer wait is left to the caller: a task is retried, a person is told. */
const longestWaitMs = 10_000
/** What the next attempt needs of the time at least. */
const leastMs = 500

/** Whether a call may be sent twice. A body that is a stream is gone after the first time. */
export function mayRepeat(method: string, headers: Headers, body: unknown): boolean {
  const isIdempotent = idempotentMethods.includes(method.toUpperCase()) || headers.has('idempotency-key')
  return isIdempotent && !(body instanceof ReadableStream)
}

/**
 * How long to wait before a call is sent again, in milliseconds.
 *
 * @param attempt the number of the next attempt, from 2
 * @returns `undefined` if another attempt would not help, or if there is no time for it
 */
export function waitBefore(attempt: number, outcome: Response | Error): number | undefined {
  const asked = outcome instanceof Response ? retryAfterMs(outcome.headers) : undefined
  if (!isTransient(outcome, asked)) return undefined
  const waitMs = asked ?? firstWaitMs * 2 ** (attempt - 2) * (1 - Math.random() / 2)
  const { endsAt = Number.POSITIVE_INFINITY } = currentRequest() ?? {}
  return waitMs <= longestWaitMs && performance.now() + waitMs + leastMs < endsAt ? waitMs : undefined
}

function isTransient(outcome: Response | Error, asked: number | undefined): boolean {
  if (outcome instanceof Error) return outcome instanceof CallError
  // 409: the first request with this Idempotency-Key is still running
  return transientStatuses.includes(outcome.status) || (outcome.status === 409 && asked !== undefined)
}

/** The `Retry-After` of a response in milliseconds: it is in seconds, or a date. */
export function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

/** Waits, unless the signal aborts. @throws the signal's reason */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  try {
    await abortable(promise, signal)
  } finally {
    clearTimeout(timer)
  }
}
