/**
 * Waits for `work`, or until the signal aborts. What `work` comes to after that is heard, and nobody's.
 *
 * @throws what `work` throws; the signal's reason
 */
export function abortable<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', abort))
}
