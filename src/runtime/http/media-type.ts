/** A media type in lower case, without its parameters: `text/csv` for `Text/CSV; charset=utf-8`. */
export function bareType(type: string): string {
  return type.split(';')[0]?.trim().toLowerCase() ?? ''
}

/** The ranges that include a media type, the closest first: itself, then `image/*`, then all types. */
export function* rangesOf(type: string): Generator<string> {
  if (!isMediaType(type) || type.endsWith('*')) return
  yield type
  yield type.replace(/\/.*/, '/*')
  yield '*/*'
}

/** Whether a media type, in lower case, is JSON. `application/hal+json` is JSON too. */
export function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json')
}

/**
 * Whether a text is a media type, or a range of media types, in lower case and without parameters.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6838#section-4.2
 */
export function isMediaType(type: string): boolean {
  return /^(?:\*\/\*|[a-z\d][a-z\d!#$&^_.+-]*\/(?:\*|[a-z\d][a-z\d!#$&^_.+-]*))$/.test(type)
}
