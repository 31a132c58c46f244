import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Context } from 'hono'
import { noneMatch } from './preconditions.ts'

/** Bytes that are the same for each request. */
export interface StaticFile {
  readonly plain: Uint8Array<ArrayBuffer>
  readonly gzipped: Uint8Array<ArrayBuffer>
  /** A hash of the bytes. */
  readonly hash: string
}

/** Compresses bytes, and computes their hash, once for all requests. */
export async function staticFile(bytes: Uint8Array): Promise<StaticFile> {
  return {
    plain: new Uint8Array(bytes),
    gzipped: new Uint8Array(await promisify(gzip)(bytes)),
    hash: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
  }
}

/**
 * Sends bytes that are the same for each request: compressed if the client takes gzip, a 304 if it has them. Each of the two
 * forms has a strong entity tag. A cache asks each time whether its copy is still current.
 *
 * @param type the content type
 */
export function sendStatic(c: Context, file: StaticFile, type: string): Response {
  const zipped = acceptsGzip(c.req.header('accept-encoding'))
  const tags = [`"${file.hash}"`, `"${file.hash}-gzip"`] as const
  c.header('ETag', tags[zipped ? 1 : 0])
  c.header('Cache-Control', 'no-cache')
  c.header('Vary', 'Accept-Encoding', { append: true })
  if (tags.some((tag) => !noneMatch(c.req.header('if-none-match'), tag))) return c.body(null, 304)
  if (zipped) c.header('Content-Encoding', 'gzip')
  const bytes = zipped ? file.gzipped : file.plain
  return c.body(bytes, 200, { 'Content-Type': type, 'Content-Length': String(bytes.length) })
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3 */
function acceptsGzip(header = ''): boolean {
  const weights = header
    .toLowerCase()
    .split(',')
    .map((part) => part.split(';').map((piece) => piece.trim()))
    .map(([coding, weight = 'q=1']) => [coding, Number(weight.replace(/^q=/, ''))] as const)
  const [, weight = 0] =
    weights.find(([coding]) => coding === 'gzip') ?? weights.find(([coding]) => coding === '*') ?? []
  return weight > 0
}
