/** A length of time for people: `30s`, `5m`, `2h`, `30d`, `500ms`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * A duration in milliseconds.
 *
 * @throws {TypeError} for what is not one
 */
export function milliseconds(duration: Duration): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) ?? []
  if (digits === undefined) {
    throw new TypeError(`A duration is a number and one of ms, s, m, h, d, such as 30s: not "${duration}".`)
  }
  return Math.round(Number(digits) * units[unit as keyof typeof units])
}
