import { seededRandom } from './random.ts'

/** How often a fault happens: a share from 0 to 1, or each of the next `times` times. */
export type Chance = number | { times: number }

/** What goes wrong, beyond what targets do by themselves. */
export interface FaultSettings {
  /** Delivers a second time after the response. */
  duplicate?: Chance
  /** Delivers twice at the same time. */
  duplicateAtOnce?: Chance
  /** Loses a success on its way back, and so retries. */
  loseAck?: Chance
  /** Dispatches any task that is due rather than the one due first. */
  reorder?: Chance
  /** Dispatches later than scheduled, by up to `delayUpTo` milliseconds (5,000 if absent). */
  delay?: Chance
  delayUpTo?: number
  /** CreateTask creates the task, and never responds. */
  createTimesOut?: Chance
  /** CreateTask responds with 503. */
  createUnavailable?: Chance
  /** The task is created, and lost. */
  drop?: Chance
  /** Where the random sequences start, one for each fault. The same seed makes the same decisions. */
  seed?: number
}

export type Faults = ReturnType<typeof createFaults>

/** Decides when a fault happens. Until some are set, none does. */
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
    /** What is set, less what has happened. */
    current: (): FaultSettings => structuredClone(settings),
    /** Replaces all settings. A fault that is absent does not happen. */
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
