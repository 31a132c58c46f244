/**
 * The entity tag of a row's version.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
 * @example
 * entityTag(3) // → '"3"'
 */
export function entityTag(version: number): string {
  return `"${version}"`
}

/**
 * Evaluates `If-None-Match`.
 *
 * @param header the header's value, if any
 * @param tag the current entity tag
 * @returns false if the header names the current tag: respond with a 304 then
 * @example
 * noneMatch('"2"', '"3"') // → true
 * noneMatch('"3"', '"3"') // → false
 */
export function noneMatch(header: string | undefined, tag: string): boolean {
  if (header === undefined) return true
  return header.trim() !== '*' && !tags(header).includes(tag)
}

/**
 * The versions that `If-Match` accepts. A weak tag counts like a strong one, though RFC 9110 refuses it: a proxy that
 * compresses makes our tags weak, and a tag identifies a version, not bytes.
 *
 * @param header the header's value, if any
 * @returns `undefined` if any version is accepted: without the header, or for `*`
 * @example
 * matchedVersions('"3", "4"') // → [3, 4]
 * matchedVersions('*') // → undefined
 */
export function matchedVersions(header: string | undefined): number[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  return tags(header).flatMap((tag) => {
    const version = /^"(0|[1-9]\d{0,8})"$/.exec(tag)?.[1]
    return version === undefined ? [] : [Number(version)]
  })
}

function tags(header: string): string[] {
  return header.match(/"[^"]*"/g) ?? []
}
