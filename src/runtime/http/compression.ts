import type { MiddlewareHandler } from 'hono'
import { compress, COMPRESSIBLE_CONTENT_TYPE_REGEX as compressible } from 'hono/compress'
import type { BaseEnv } from './env.ts'
import { releaseResponse, reserveResponse } from './request-memory.ts'
import { bodyLength, replaceBody, setBodyLength } from './response.ts'

/** In bytes. Compressing smaller responses costs more than it saves. */
const threshold = 1024

/**
 * Compresses responses above 1 KiB by gzip. Small responses, which are nearly all, cost nothing. Streams are not compressed,
 * because gzip would delay their chunks.
 *
 * @example
 * app.use(compression())
 */
export function compression(): MiddlewareHandler<BaseEnv> {
  const gzip = compress({ encoding: 'gzip', threshold: threshold + 1 }) // Hono compresses from this size on
  return async function compression(c, next) {
    await next()
    const length = bodyLength(c)
    if (length === undefined || length <= threshold) return
    const { headers: given } = c.res
    const varies = /\*|\baccept-encoding\b/i.test(given.get('vary') ?? '')
    // otherwise Hono would create a new response to set this header, as a stream
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
