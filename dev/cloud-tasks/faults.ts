import { seededRandom } from '../random.ts'

/** How often: a share from 0 to 1, or the next so many times. */
export type Chance = number | { readonly times: number }

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

type FaultName = Exclude<keyof FaultSettings, 'seed' | 'delayUpTo'>

/** Decides when a fault happens. */
export interface Faults {
  /** Replaces all settings: what is absent does not happen. */
  set(settings: FaultSettings): void
  /** Whether this fault happens now. */
  happens(name: FaultName): boolean
  /** The next number from 0 to below 1 of a sequence. */
  random(sequence: string): number
  readonly delayUpTo: number
}

/** No faults, until some are set. */
export function createFaults(): Faults {
  let settings: FaultSettings = {}
  let left = new Map<FaultName, number>()
  let random = seededRandom(1)

  return {
    random: (sequence) => random(sequence),
    get delayUpTo() {
      return settings.delayUpTo ?? 5000
    },
    set(next) {
      settings = { ...next }
      left = new Map()
      random = seededRandom(next.seed ?? 1)
    },
    happens(name) {
      const chance = settings[name]
      if (!chance) return false
      if (typeof chance === 'number') return random(name) < chance
      const times = left.get(name) ?? chance.times
      left.set(name, times - 1)
      return times > 0
    },
  }
}
