import type pg from 'pg'

/**
 * Waits for a connection of the pool until the signal aborts. A connection that arrives later goes back to the pool at
 * once.
 *
 * @param done is called once: with the connection, or with the error
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
