import { seededRandom } from './random.ts'

/** How often: a share from 0 to 1, or the next so many times. */
export type Chance = number | { times: number }

/** What goes wrong, beyond what targets do by themselves. */
export interface FaultSettings {
  /** Delivers again after the answer. */
  duplicate?: Chance
  /** Delivers twice at the same time. */
  duplicateAtOnce?: Chance
  /** Takes a success for no response, and so retries. */
  loseAck?: Chance
  /** Dispatches any task that is due rather than the one due first. */
  reorder?: Chance
  /** Dispatches later than scheduled, by up to `delayUpTo` milliseconds (5,000 if absent). */
  delay?: Chance
  delayUpTo?: number
  /** CreateTask creates, and never answers. */
  createTimesOut?: Chance
  /** CreateTask answers 503. */
  createUnavailable?: Chance
  /** The task is created, and lost. */
  drop?: Chance
  /** Where the random sequences begin, one for each fault: the same seed makes the same decisions. */
  seed?: number
}

export type Faults = ReturnType<typeof createFaults>

/** Decides when a fault happens: never, until some are set. */
export function createFaults() {
  let settings: FaultSettings = {}
  let random = seededRandom(1)

  /** Whether this fault happens now. */
  function happens(name: Exclude<keyof FaultSettings, 'seed' | 'delayUpTo'>): boolean {
    const chance = settings[name]
    if (!chance) return false
    return typeof chance === 'number' ? random(name) < chance : chance.times-- > 0
  }

  return {
    happens,
    /** Replaces all settings: what is absent does not happen. */
    set(next: FaultSettings): void {
      settings = structuredClone(next)
      random = seededRandom(next.seed ?? 1)
    },
    /** By how many milliseconds the next dispatch is late. */
    delay: () => (happens('delay') ? random('length') * (settings.delayUpTo ?? 5000) : 0),
    /** Which of the tasks that are due goes next, from 0, the first, to below 1. */
    choice: () => (happens('reorder') ? random('choice') : 0),
  }
}
