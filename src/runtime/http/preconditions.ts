/**
 * The entity tag of a row's version.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
 */
export function entityTag(version: number): string {
  return `"${version}"`
}

/**
 * Says whether `If-None-Match` names the current tag, so that a 304 answers.
 *
 * @param header the header's value, if any
 * @param tag the current entity tag
 */
export function noneMatch(header: string | undefined, tag: string): boolean {
  if (header === undefined) return true
  return header.trim() !== '*' && !tags(header).includes(tag)
}

/**
 * The versions that `If-Match` accepts. A weak tag counts as its strong one: gzip on the way weakens ours
 * (RFC 9110 would have it refused), and a version says more than bytes do.
 *
 * @param header the header's value, if any
 * @returns `undefined` where any version will do: no header, or `*`
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
