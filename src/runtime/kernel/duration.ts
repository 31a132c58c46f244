/** A duration of ten years at most: `30s`, `5m`, `2h`, `30d`, `500ms`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** Ten years. (PostgreSQL has no dates beyond some 280,000 years.) */
const longestMs = 3_650 * units.d

/**
 * A duration in milliseconds.
 *
 * @param what names it in the message
 * @throws {TypeError} for a text that is not a duration, and for one that is negative or longer than ten years
 * @example
 * toMilliseconds('5m') // → 300_000
 */
export function toMilliseconds(duration: Duration, what = 'A duration'): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) ?? []
  const length = digits === undefined ? Number.NaN : Number(digits) * units[unit as keyof typeof units]
  if (length <= longestMs) return Math.round(length)
  throw new TypeError(
    `${what} is a number and one of ms, s, m, h, d, such as 30s, and at most 3650d: not "${duration}".`,
  )
}
