/** The structure of a JSON text. */
export interface JsonShape {
  /** How many values there are: objects, arrays, strings, numbers and so on. Names in objects do not count. */
  readonly values: number
  /** How deeply objects and arrays are nested at most. */
  readonly depth: number
  /** Whether all objects and arrays are closed. If not, the text is not JSON. */
  readonly closed: boolean
  /**
   * Whether the text contains an escaped NUL or lone surrogate, or may contain the name `__proto__`. (Unescaped NULs and
   * surrogates are not valid JSON in UTF-8.)
   */
  readonly mayBeUnsafe: boolean
}

const quote = 0x22
const comma = 0x2c
const openArray = 0x5b
const backslash = 0x5c
const letterU = 0x75
const closeArray = 0x5d
const underscore = 0x5f
const openObject = 0x7b
const closeObject = 0x7d

/**
 * Scans the bytes of a JSON text once, before it is parsed, to learn how much memory its values would take. For bytes
 * that are not JSON, the result has no meaning.
 *
 * @param bytes in UTF-8
 */
export function shapeOfJson(bytes: Uint8Array): JsonShape {
  let values = 1
  let depth = 0
  let most = 0
  let mayBeUnsafe = false
  let empty = false // only white space since an object or an array was opened
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte <= 0x20) continue
    if (byte > comma && byte < openArray) {
      empty = false // digits and the like, in a test of their own for speed: a body may consist mostly of them
      continue
    }
    if (byte === openArray || byte === openObject) {
      if (++depth > most) most = depth
      values++
      empty = true
      continue
    }
    if (byte === quote) {
      if (mayBeProto(bytes, at + 1)) mayBeUnsafe = true
      for (at++; bytes[at] !== quote && at < bytes.length; at++)
        if (bytes[at] === backslash && bytes[++at] === letterU) {
          const length = escapeLength(bytes, at)
          if (length === 0) mayBeUnsafe = true
          else at += length
        }
    } else if (byte === comma) values++
    else if (byte === closeArray || byte === closeObject) {
      depth--
      if (empty) values--
    }
    empty = false
  }
  return { values, depth: most, closed: depth === 0, mayBeUnsafe }
}

/** Whether the text at `at` may start with `__`. Each underscore may be written as `\u005f`. */
function mayBeProto(bytes: Uint8Array, at: number): boolean {
  const next = bytes[at + 1]
  if (bytes[at] === underscore) return next === underscore || next === backslash
  return bytes[at] === backslash && next === 0x75 && bytes[at + 2] === 0x30 && bytes[at + 4] === 0x35
}

/** The length of the escape after the `u` at `at`, including a second surrogate; 0 for a NUL or a lone surrogate. */
function escapeLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at + 1] as number
  const second = bytes[at + 2] as number
  if ((first | 0x20) === 0x64 && second >= 0x38) {
    const isHigh = second < 0x43 || second === 0x61 || second === 0x62 // 8, 9, A, B
    return isHigh && isLow(bytes, at + 5) ? 10 : 0
  }
  const isNul = first === 0x30 && second === 0x30 && bytes[at + 3] === 0x30 && bytes[at + 4] === 0x30
  return isNul ? 0 : 4
}

/** Whether there is the escape of a low surrogate at `at`: `\udc00` to `\udfff`. */
function isLow(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== backslash || bytes[at + 1] !== letterU) return false
  const isSurrogate = ((bytes[at + 2] as number) | 0x20) === 0x64
  return isSurrogate && ((bytes[at + 3] as number) | 0x20) >= 0x63
}
