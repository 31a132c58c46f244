import { Problem, problems } from '../kernel/problem.ts'
import { pointerStep } from './text.ts'

/** Bytes: the most that file systems take. */
const longest = 255

/**
 * The name of a file that was sent, without the folders that some clients put before it.
 *
 * @param sent may be empty: a browser's, of no file
 * @param part the field's name, for the message
 * @throws {Problem} VALIDATION_FAILED for a name with control characters, for `.` and `..`, and for more than 255 bytes
 * @see https://www.rfc-editor.org/rfc/rfc7578#section-4.2
 */
export function fileName(sent: string, part: string): string {
  const name = sent.slice(Math.max(sent.lastIndexOf('/'), sent.lastIndexOf('\\')) + 1)
  const right = !/\p{Cc}/u.test(sent) && !/^\.\.?$/.test(name) && Buffer.byteLength(name) <= longest
  if (right) return name
  const detail = `must have a file name of ${longest} bytes at most, without control characters, and not "." or ".."`
  throw new Problem(problems.VALIDATION_FAILED, {
    detail: `A file ${detail}.`,
    errors: [{ detail, in: 'body', pointer: `#/${pointerStep(part)}` }],
  })
}
