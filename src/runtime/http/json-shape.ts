/** What a JSON text is made of. */
export interface JsonShape {
  /** Objects, arrays, strings, numbers and the rest; the names in objects are not counted. */
  readonly values: number
  /** How many objects and arrays stand in one another at most. */
  readonly depth: number
  /** Whether every object and array is closed. A text that says no is no JSON. */
  readonly closed: boolean
  /**
   * Whether an escape stands for a NUL or a lone surrogate, or a text may be the name `__proto__`. Without one there is
   * none: raw NULs and surrogates are no JSON in UTF-8.
   */
  readonly poison: boolean
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
 * Looks at the bytes of a JSON text, each once, so that what it would become is known before it is parsed. Of bytes
 * that are no JSON it says anything.
 *
 * @param bytes in UTF-8
 */
export function shapeOfJson(bytes: Uint8Array): JsonShape {
  let values = 1
  let depth = 0
  let most = 0
  let poison = false
  let empty = false // nothing but blanks since an object or an array was opened
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte <= 0x20) continue
    if (byte > comma && byte < openArray) {
      empty = false // digits and the like: a body may hold nothing else
      continue
    }
    if (byte === openArray || byte === openObject) {
      if (++depth > most) most = depth
      values++
      empty = true
      continue
    }
    if (byte === quote) {
      if (mayBeProto(bytes, at + 1)) poison = true
      for (at++; bytes[at] !== quote && at < bytes.length; at++)
        if (bytes[at] === backslash && bytes[++at] === letterU) {
          const length = escapeLength(bytes, at)
          if (length === 0) poison = true
          else at += length
        }
    } else if (byte === comma) values++
    else if (byte === closeArray || byte === closeObject) {
      depth--
      if (empty) values--
    }
    empty = false
  }
  return { values, depth: most, closed: depth === 0, poison }
}

/** Whether the text that begins at `at` may begin with `__`, either of which may be `\u005f`. */
function mayBeProto(bytes: Uint8Array, at: number): boolean {
  const next = bytes[at + 1]
  if (bytes[at] === underscore) return next === underscore || next === backslash
  return bytes[at] === backslash && next === 0x75 && bytes[at + 2] === 0x30 && bytes[at + 4] === 0x35
}

/** Bytes of the escape behind the `u` at `at`, with the other half of a surrogate; 0 for a NUL or a lone surrogate. */
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

/** Whether the escape of a low surrogate stands at `at`: `\udc00` to `\udfff`. */
function isLow(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== backslash || bytes[at + 1] !== letterU) return false
  const isSurrogate = ((bytes[at + 2] as number) | 0x20) === 0x64
  return isSurrogate && ((bytes[at + 3] as number) | 0x20) >= 0x63
}
