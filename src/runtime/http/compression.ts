import type { MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import type { BaseEnv } from './env.ts'

/** Bytes; below it the frame costs more than it saves. */
const threshold = 1024

/** Compresses answers above 1 KiB by gzip; the small ones, nearly all, are not even looked at. */
export function compression(): MiddlewareHandler<BaseEnv> {
  const gzip = compress({ encoding: 'gzip', threshold: threshold + 1 }) // the least that it compresses
  return async function compression(c, next) {
    await next()
    const written = c.get('written')
    if (written && written.length <= threshold && c.res === written.response) return
    await gzip(c, async () => {})
  }
}
