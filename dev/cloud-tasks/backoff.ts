/**
 * How long a task waits after failure `n` (from 1): it doubles `maxDoublings` times, then grows by as much as
 * it had reached, up to `maxBackoff`.
 *
 * @returns milliseconds
 * @see https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig
 */
export function backoff(
  n: number,
  config: { minBackoff: number; maxBackoff: number; maxDoublings: number },
): number {
  const { minBackoff, maxBackoff, maxDoublings } = config
  const doublings = Math.min(n - 1, maxDoublings)
  const steps = Math.max(1, n - maxDoublings)
  return Math.min(minBackoff * 2 ** doublings * steps, maxBackoff)
}
