/**
 * What PostgreSQL's `jsonb` refuses in a JSON text: a NUL character, or half of a pair of UTF-16 (RFC 8259, section 8.2, permits
 * both). `JSON.stringify` writes these as escapes.
 *
 * @param json as `JSON.stringify` writes it
 * @returns the words for a message; `undefined` if it can be stored
 */
export function unstorable(json: string): string | undefined {
  if (!json.includes('\\u')) return undefined
  const found = /(?<!\\)(?:\\\\)*(\\u(?:0000|d[89a-f][0-9a-f]{2}))/.exec(json)?.[1]
  if (!found) return undefined
  return found === '\\u0000' ? 'a NUL character' : `half of a character (${found})`
}
