import { Problem, problems } from '../kernel/problem.ts'
import { jsonPointer } from './json-pointer.ts'

/** The limit of common file systems, in bytes. */
const maxBytes = 255

/**
 * Checks the name of a file that a client has sent, and drops the folders that some clients put before it.
 *
 * @param sent the name; empty, if a browser sends a field without a file
 * @param part the name of the field, for the message
 * @throws {Problem} VALIDATION_FAILED for a name with control characters, for `.` and `..`, and for more than 255 bytes
 * @see https://www.rfc-editor.org/rfc/rfc7578#section-4.2
 */
export function fileName(sent: string, part: string): string {
  const name = sent.slice(Math.max(sent.lastIndexOf('/'), sent.lastIndexOf('\\')) + 1)
  const right = !/\p{Cc}/u.test(sent) && !/^\.\.?$/.test(name) && Buffer.byteLength(name) <= maxBytes
  if (right) return name
  const detail = `must have a file name of ${maxBytes} bytes at most, without control characters, and not "." or ".."`
  throw new Problem(problems.VALIDATION_FAILED, {
    detail: `A file ${detail}.`,
    errors: [{ detail, in: 'body', pointer: jsonPointer([part]) }],
  })
}
