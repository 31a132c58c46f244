/** A media type in small letters, without its parameters: of `Text/CSV; charset=utf-8`, `text/csv`. */
export function bareType(type: string): string {
  return type.split(';')[0]?.trim().toLowerCase() ?? ''
}

/** What a media type may be stated as, the nearest first: itself, `image/*`, and all types. Nothing for what is none. */
export function* rangesOf(type: string): Generator<string> {
  if (!isMediaType(type) || type.endsWith('*')) return
  yield type
  yield type.replace(/\/.*/, '/*')
  yield '*/*'
}

/** Whether a media type, in small letters, is JSON: `application/hal+json` as well. */
export function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json')
}

/**
 * Whether a text is a media type, or a range of such: in small letters, without parameters.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6838#section-4.2
 */
export function isMediaType(type: string): boolean {
  return /^(?:\*\/\*|[a-z\d][a-z\d!#$&^_.+-]*\/(?:\*|[a-z\d][a-z\d!#$&^_.+-]*))$/.test(type)
}
