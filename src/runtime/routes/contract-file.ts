import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Context } from 'hono'
import { noneMatch } from '../http/preconditions.ts'

/** The contract as it is sent. The bytes are the same each time. */
interface ContractFile {
  readonly plain: Uint8Array<ArrayBuffer>
  readonly gzipped: Uint8Array<ArrayBuffer>
  /** The entity tag, in quotes. It is sent as a weak one, because it stands for both encodings. */
  readonly tag: string
}

/**
 * Creates the handler that sends the contract. The contract is built and compressed once, at the first request.
 *
 * @param build builds the document
 */
export function contractFile(build: () => Promise<object>): (c: Context) => Promise<Response> {
  let file: Promise<ContractFile> | undefined
  return async function sendContract(c) {
    file ??= buildFile(build)
    const { plain, gzipped, tag } = await file.catch((error) => {
      file = undefined // the next request retries
      throw error
    })
    c.header('ETag', `W/${tag}`)
    c.header('Cache-Control', 'no-cache')
    c.header('Access-Control-Allow-Origin', '*')
    c.header('Vary', 'Accept-Encoding', { append: true })
    if (!noneMatch(c.req.header('if-none-match'), tag)) return c.body(null, 304)
    const zipped = acceptsGzip(c.req.header('accept-encoding'))
    const bytes = zipped ? gzipped : plain
    if (zipped) c.header('Content-Encoding', 'gzip')
    return c.body(bytes, 200, { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length) })
  }
}

async function buildFile(build: () => Promise<object>): Promise<ContractFile> {
  const plain = Buffer.from(JSON.stringify(await build()))
  const tag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
  return { plain: new Uint8Array(plain), gzipped: new Uint8Array(await promisify(gzip)(plain)), tag }
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
