import type { Context, MiddlewareHandler } from 'hono'
import { parseAccept } from 'hono/utils/accept'
import { COMPRESSIBLE_CONTENT_TYPE_REGEX as compressible } from 'hono/utils/compress'
import { lazily } from '../kernel/lazily.ts'
import type { BaseEnv } from './env.ts'
import { smallBytes } from './memory-budget.ts'
import { releaseResponse, reserveResponse } from './request-memory.ts'
import { changeResponse, headerOf, knownBody } from './response.ts'

/** In bytes. Compressing smaller responses costs more than it saves. */
const threshold = 1024

/** Loaded at the first response that is compressed, so that the start does not load it. */
const loadZlib = lazily(() => import('node:zlib'))

/**
 * Compresses responses above 1 KiB by gzip. Small responses, which are nearly all, cost nothing. Streams are not compressed,
 * because gzip would delay their chunks.
 *
 * `hono/compress` reads the body as a web stream. For a page of a list that takes five times as long (decision 43).
 *
 * @example
 * app.use(compression())
 */
export function compression(): MiddlewareHandler<BaseEnv> {
  return async function compression(c, next) {
    await next()
    const { content = null, length = 0 } = knownBody(c) ?? {}
    if (content === null || length <= threshold || !compressible.test(headerOf(c, 'content-type') ?? ''))
      return
    const vary = variesBy(headerOf(c, 'vary'))
    if (!mayCompress(c) || !acceptsGzip(c.req.header('accept-encoding'))) return changeResponse(c, vary)
    const bytes = await zip(content, length)
    releaseResponse(c, length)
    reserveResponse(c, bytes.length)
    const tag = headerOf(c, 'etag')
    const weak = tag && !tag.startsWith('W/') ? { ETag: `W/${tag}` } : {}
    changeResponse(c, { ...vary, ...weak, 'Content-Encoding': 'gzip' }, bytes)
  }
}

/** The header that says that another client may get another encoding, unless it says so already. */
function variesBy(given: string | null): { Vary?: string } {
  if (given && /\*|\baccept-encoding\b/i.test(given)) return {}
  return { Vary: given ? `${given}, Accept-Encoding` : 'Accept-Encoding' }
}

/** Whether the response may be sent in another encoding. */
function mayCompress(c: Context): boolean {
  if (c.req.method === 'HEAD' || c.res.status === 206 || headerOf(c, 'content-encoding')) return false
  return !/(?:^|,)\s*no-transform\s*(?:,|$)/i.test(headerOf(c, 'cache-control') ?? '')
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3 */
function acceptsGzip(accepted: string | undefined): boolean {
  const encodings = parseAccept(accepted ?? '')
  const gzip = encodings.find(({ type }) => type.toLowerCase() === 'gzip')
  return (gzip ?? encodings.find(({ type }) => type === '*') ?? { q: 0 }).q > 0
}

/** A small body is compressed at once, which takes half as much CPU. A large one would keep other requests waiting. */
async function zip(content: string | Uint8Array, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const { gzip, gzipSync } = await loadZlib()
  if (length <= smallBytes) return gzipSync(content)
  return new Promise((resolve, reject) => {
    gzip(content, (error, bytes) => (error ? reject(error) : resolve(bytes)))
  })
}
