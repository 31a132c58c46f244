import { isUtf8 } from 'node:buffer'
import { maxPairs, type Pair, tooManyPairs } from './pairs.ts'
import { headerParameters, malformed, readPartHeaders } from './part-headers.ts'

type Bytes = Buffer<ArrayBuffer>

const lineBreak = '\r\n'

/** How many files a form may hold if its route declares no `bodyFiles`. (Creating a `File` costs as much as parsing 1 KiB.) */
const defaultMaxFiles = 100

/**
 * Parses a body of type multipart/form-data: texts in UTF-8, and files as they were sent. It reads the bytes once. It
 * refuses what browsers and HTTP libraries do not send, rather than ignore it.
 *
 * @param contentType the header, which contains the boundary
 * @param maxFiles how many files it may hold; 100 if absent
 * @throws {Problem} MALFORMED_REQUEST, with what is wrong; VALIDATION_FAILED for more than 1,000 parts (before the first
 * is parsed), for too many files, and for a wrong file name
 * @see https://www.rfc-editor.org/rfc/rfc7578
 * @see https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
 */
export function parseMultipart(bytes: Bytes, contentType: string, maxFiles = defaultMaxFiles): Pair[] {
  let files = 0
  return splitMultipart(bytes, contentType).map((part) => {
    const pair = parsePart(part)
    if (pair[1] instanceof File && ++files > maxFiles) throw tooManyPairs('body', maxFiles, 'files')
    return pair
  })
}

/**
 * Splits a multipart body into its parts, with their headers and without the boundary: a retry has another boundary.
 *
 * @throws {Problem} MALFORMED_REQUEST; VALIDATION_FAILED for more than 1,000
 */
export function splitMultipart(bytes: Bytes, contentType: string): Bytes[] {
  return split(bytes, boundaryOf(contentType))
}

/** @see https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1 */
function boundaryOf(contentType: string): string {
  const boundary = headerParameters(contentType).get('boundary')
  if (boundary && /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary)) return boundary
  throw malformed('The Content-Type of a multipart form needs a boundary, of 1 to 70 characters')
}

/** Splits at the boundary, which is at the start of a line. The line break after it stays with its part. */
function split(bytes: Bytes, boundary: string): Bytes[] {
  const opening = Buffer.from(`--${boundary}`)
  const delimiter = Buffer.from(`${lineBreak}--${boundary}`)
  const before = has(bytes, 0, lineBreak) ? lineBreak.length : 0
  if (!bytes.subarray(before, before + opening.length).equals(opening))
    throw malformed('The body does not start with its boundary')
  const starts = [before + opening.length]
  for (let at = bytes.indexOf(delimiter); at >= 0; at = bytes.indexOf(delimiter, at + 1)) {
    if (at >= before) starts.push(at + delimiter.length)
    if (starts.length > maxPairs + 1) throw tooManyPairs('body')
  }
  const end = starts.at(-1) ?? 0
  if (!has(bytes, end, '--')) throw malformed('The body ends before its last boundary')
  if (bytes.length !== end + 2 && !(has(bytes, end + 2, lineBreak) && bytes.length === end + 4))
    throw malformed('The body goes on after its last boundary')
  return starts.slice(0, -1).map((start, index) => {
    if (!has(bytes, start, lineBreak))
      throw malformed('The boundary is followed by something else than a line break')
    return bytes.subarray(start, (starts[index + 1] ?? end) - delimiter.length)
  })
}

function has(bytes: Bytes, at: number, text: string): boolean {
  return bytes.toString('latin1', at, at + text.length) === text
}

function parsePart(part: Bytes): Pair {
  const { name, filename, type, contentAt } = readPartHeaders(part)
  const content = part.subarray(contentAt)
  if (filename !== undefined) return [name, new File([content], filename, { type })]
  if (isUtf8(content)) return [name, content.toString()]
  throw malformed(`The part ${JSON.stringify(name)} is neither a text in UTF-8 nor a file with a filename`)
}
