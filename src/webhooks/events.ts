/** The name of an event: words with dots in between, such as `order.placed`. */
const name = '[a-z][a-z0-9_-]*(?:\\.[a-z0-9_-]+)*'

/** What a webhook asks for: the name of an event, all events below a word (`order.*`), or all (`*`). */
export const eventPattern = new RegExp(`^(?:\\*|${name}(?:\\.\\*)?)$`)

/** The longest pattern, in characters. */
export const maxPatternLength = 100

const eventName = new RegExp(`^${name}$`)

/**
 * All patterns that an event matches: `order.item.sold` matches itself, `order.item.*`, `order.*` and `*`.
 *
 * @throws {TypeError} for a text that is not the name of an event
 */
export function patternsOf(type: string): string[] {
  if (!eventName.test(type) || type.length > maxPatternLength)
    throw new TypeError(
      `"${type}" cannot be the name of an event: write small letters and dots, such as order.placed.`,
    )
  const words = type.split('.')
  const groups = words.slice(1).map((_word, index) => `${words.slice(0, index + 1).join('.')}.*`)
  return [type, ...groups, '*']
}
