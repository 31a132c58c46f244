/** What time it is for the emulator, in milliseconds since 1970. */
export interface Clock {
  now(): number
  /** Calls back once so many milliseconds have passed; maybe earlier if that is weeks away. Returns what prevents it. */
  after(milliseconds: number, callback: () => void): () => void
  /** Moves a manual clock. */
  readonly advance?: (milliseconds: number) => void
}

/** The machine's own. */
export function realClock(): Clock {
  return {
    now: Date.now,
    after(milliseconds, callback) {
      const timer = setTimeout(callback, Math.min(Math.max(milliseconds, 0), 2 ** 31 - 1)) // Node's longest
      return () => clearTimeout(timer)
    },
  }
}

/** One that stands still unless `advance` moves it. @param start milliseconds since 1970 */
export function manualClock(start = Date.now()): Required<Clock> {
  let now = start
  const alarms = new Set<{ at: number; callback: () => void }>()
  return {
    now: () => now,
    after(milliseconds, callback) {
      const alarm = { at: now + milliseconds, callback }
      alarms.add(alarm)
      return () => void alarms.delete(alarm)
    },
    advance(milliseconds) {
      now += milliseconds
      for (const alarm of [...alarms].sort((a, b) => a.at - b.at))
        if (alarm.at <= now && alarms.delete(alarm)) alarm.callback()
    },
  }
}
