import type { QueueSettings } from './settings.ts'

type RetryConfig = QueueSettings['retryConfig']

/**
 * How long a task waits after failure `n` (from 1), in milliseconds: it doubles `maxDoublings` times, then grows
 * by as much as it had reached, up to `maxBackoff`.
 *
 * @see https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig
 */
export function backoff(n: number, config: Omit<RetryConfig, 'maxAttempts' | 'maxRetryDuration'>): number {
  const { minBackoff, maxBackoff, maxDoublings } = config
  const doublings = Math.min(n - 1, maxDoublings)
  const steps = Math.max(1, n - maxDoublings)
  return Math.min(minBackoff * 2 ** doublings * steps, maxBackoff)
}

/** Whether the task has reached every limit of its retries. A limit of -1 attempts, or of an age of 0, is none. */
export function isExhausted(attempts: number, age: number, config: RetryConfig): boolean {
  const { maxAttempts, maxRetryDuration } = config
  if (maxAttempts === -1 && maxRetryDuration === 0) return false
  return (maxAttempts === -1 || attempts >= maxAttempts) && age >= maxRetryDuration
}
