import type { MiddlewareHandler } from 'hono'
import { compress, COMPRESSIBLE_CONTENT_TYPE_REGEX as compressible } from 'hono/compress'
import type { BaseEnv } from './env.ts'
import { replaceResponse } from './prepare-response.ts'
import { releaseResponse, reserveResponse } from './request-memory.ts'
import { stateOf } from './request-state.ts'

/** Bytes; below it the frame costs more than it saves. */
const threshold = 1024

/**
 * Compresses responses above 1 KiB by gzip; the small ones, nearly all, are not even looked at, and streams, which it
 * would hold back, are left as they are.
 */
export function compression(): MiddlewareHandler<BaseEnv> {
  const gzip = compress({ encoding: 'gzip', threshold: threshold + 1 }) // the least that it compresses
  return async function compression(c, next) {
    await next()
    const written = stateOf(c).written
    if (written?.response !== c.res || written.length <= threshold) return
    const { headers: given } = c.res
    const varies = /\*|\baccept-encoding\b/i.test(given.get('vary') ?? '')
    // Hono would make a new response for this header, as a stream
    if (!varies && compressible.test(given.get('content-type') ?? '')) given.append('Vary', 'Accept-Encoding')
    await gzip(c, async () => {})
    if (!c.res.headers.has('content-encoding') || c.req.method === 'HEAD' || !c.res.body) {
      stateOf(c).written = { ...written, response: c.res }
      return
    }
    const bytes = new Uint8Array(await c.res.arrayBuffer())
    releaseResponse(c, written.length)
    reserveResponse(c, bytes.length)
    const headers = new Headers(c.res.headers)
    headers.set('Content-Length', String(bytes.length))
    const response = new Response(bytes, { status: c.res.status, headers })
    stateOf(c).written = { response, length: bytes.length }
    replaceResponse(c, response)
  }
}
