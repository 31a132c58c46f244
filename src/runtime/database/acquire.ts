import type pg from 'pg'

/**
 * Waits for a connection until the signal aborts; one that comes later goes back at once.
 *
 * @param done called once, with a connection or with why there is none
 */
export function acquire(
  pool: pg.Pool,
  signal: AbortSignal | undefined,
  done: (error: unknown, client?: pg.PoolClient) => void,
): void {
  if (signal?.aborted) return void done(signal.reason)
  let waiting = true
  const abort = () => {
    waiting = false
    done(signal?.reason)
  }
  signal?.addEventListener('abort', abort)
  pool.connect((error, client) => {
    if (!waiting) return void client?.release()
    signal?.removeEventListener('abort', abort)
    done(error, client)
  })
}
