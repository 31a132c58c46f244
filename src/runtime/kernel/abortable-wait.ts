/**
 * Waits for `work` until the signal aborts. After that, the outcome of `work` is ignored.
 *
 * @returns the result of `work`
 * @throws what `work` throws; the signal's reason if it aborts
 */
export function abortable<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', abort))
}
