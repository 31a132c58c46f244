import type { MiddlewareHandler } from 'hono'
import { compress, COMPRESSIBLE_CONTENT_TYPE_REGEX as compressible } from 'hono/compress'
import type { BaseEnv } from './env.ts'
import { releaseResponse, reserveResponse } from './request-memory.ts'
import { bodyLength, replaceBody, setBodyLength } from './response.ts'

/** Bytes; below it the frame costs more than it saves. */
const threshold = 1024

/**
 * Compresses responses above 1 KiB by gzip; the small ones, nearly all, are not even looked at, and streams, which it
 * would hold back, are left as they are.
 *
 * @example
 * app.use(compression())
 */
export function compression(): MiddlewareHandler<BaseEnv> {
  const gzip = compress({ encoding: 'gzip', threshold: threshold + 1 }) // the least that it compresses
  return async function compression(c, next) {
    await next()
    const length = bodyLength(c)
    if (length === undefined || length <= threshold) return
    const { headers: given } = c.res
    const varies = /\*|\baccept-encoding\b/i.test(given.get('vary') ?? '')
    // Hono would make a new response for this header, as a stream
    if (!varies && compressible.test(given.get('content-type') ?? '')) given.append('Vary', 'Accept-Encoding')
    await gzip(c, async () => {})
    const { res } = c
    if (!res.headers.has('content-encoding') || c.req.method === 'HEAD' || !res.body)
      return setBodyLength(c, length)
    const bytes = new Uint8Array(await res.arrayBuffer())
    releaseResponse(c, length)
    reserveResponse(c, bytes.length)
    replaceBody(c, bytes, { status: res.status, headers: res.headers })
  }
}
