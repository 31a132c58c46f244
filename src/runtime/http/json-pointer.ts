/** How many characters of a key a pointer shows. A caller's key may be as long as the body. */
const maxShownKeyLength = 200

/**
 * A JSON pointer to a value, as a URI fragment: `#/lines/0/item`. Long keys are shortened.
 *
 * @param path the keys that lead to the value, the outermost first
 * @see https://www.rfc-editor.org/rfc/rfc6901#section-6
 */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return ['#', ...path.map(step)].join('/')
}

function step(key: PropertyKey): string {
  const text = String(key)
  const shown = text.length > maxShownKeyLength ? `${text.slice(0, maxShownKeyLength)}…` : text
  return encodeURIComponent(shown.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1'))
}
