/** The value in the middle. @throws {Error} if there is none */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value below which a share of the values lies, interpolated between two neighbours. @throws {Error} without values */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('There are no values to summarize')
  const sorted = [...values].sort((one, other) => one - other)
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] as number
  const above = sorted[Math.ceil(place)] as number
  return below + (above - below) * (place - Math.floor(place))
}

/** What several rounds gave: the median, with the quartiles as the spread. */
export interface Summary {
  readonly median: number
  readonly low: number
  readonly high: number
  readonly count: number
}

/** @throws {Error} without values */
export function summarize(values: readonly number[]): Summary {
  return {
    median: median(values),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    count: values.length,
  }
}

/**
 * The ratio of two contestants, round by round: both of a round met the same machine. Noise that lasts longer than a round
 * cancels out.
 *
 * @param ours one value for each round
 * @param theirs as many
 * @throws {Error} if they have not the same number of rounds
 */
export function ratio(ours: readonly number[], theirs: readonly number[]): Summary {
  if (ours.length !== theirs.length)
    throw new Error(`${ours.length} rounds cannot be compared with ${theirs.length}`)
  return summarize(ours.map((value, round) => value / (theirs[round] as number)))
}
