/** What time it is for the emulator, in milliseconds since 1970. */
export interface Clock {
  now(): number
  /** Calls back after so many milliseconds, or earlier if that is weeks away. Returns what cancels the call. */
  after(milliseconds: number, callback: () => void): () => void
  /** Moves a manual clock. */
  readonly advance?: (milliseconds: number) => void
  /** Moves a clock that goes by itself: from then on it is ahead of the machine's. */
  readonly skip?: (milliseconds: number) => void
}

/** The clock of the machine. */
export function realClock(): Clock {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    skip(milliseconds) {
      ahead += milliseconds
    },
    after(milliseconds, callback) {
      const timer = setTimeout(callback, Math.min(Math.max(milliseconds, 0), 2 ** 31 - 1)) // Node's longest
      return () => clearTimeout(timer)
    },
  }
}

/** A clock that stands still unless `advance` moves it. @param start milliseconds since 1970 */
export function manualClock(start = Date.now()): Clock & Required<Pick<Clock, 'advance'>> {
  let now = start
  const timers = new Set<{ at: number; callback: () => void }>()
  return {
    now: () => now,
    after(milliseconds, callback) {
      const timer = { at: now + milliseconds, callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance(milliseconds) {
      now += milliseconds
      for (const timer of [...timers].sort((a, b) => a.at - b.at))
        if (timer.at <= now && timers.delete(timer)) timer.callback()
    },
  }
}
