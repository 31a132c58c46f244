import { type Duration, toMilliseconds } from '../kernel/duration.ts'
import { checkKey } from './enqueue-key.ts'

type KeyOf = (payload: never) => string

/** How many tasks of a name and key may run at once. */
export interface Limit {
  readonly key: (payload: unknown) => string
  readonly concurrency: number
  /** Whether they run in the order in which they were enqueued. */
  readonly ordered: boolean
}

/** How many attempts at tasks of a name and key may start in any period of this length. */
export interface Rate {
  readonly key: (payload: unknown) => string
  readonly tasks: number
  readonly perMs: number
}

/** A limit and a rate, as `defineTask` takes them. */
export interface LimitOptions<Key extends KeyOf> {
  limit?: { key?: Key; concurrency?: number; ordered?: boolean }
  rate?: { key?: Key; tasks: number; per: Duration }
}

/** The highest limit. */
export const maxConcurrency = 1_000
const maxTasks = 1_000
const maxPerMs = 86_400_000

/**
 * Checks the limit and the rate of a task.
 *
 * @throws {TypeError} naming the task, for a number or a duration out of bounds
 */
export function readLimits<Key extends KeyOf>(
  name: string,
  { limit, rate }: LimitOptions<Key>,
): { limit: Limit | undefined; rate: Rate | undefined } {
  const wrong = (what: string) => new TypeError(`The task ${name}: ${what}`)
  const isCount = (count: number, max: number) => Number.isInteger(count) && count >= 1 && count <= max
  const keyOf = (key: Key | undefined) => (payload: unknown) => {
    const text = key ? key(payload as never) : ''
    checkKey({ name }, text, 'the key of its limit or rate')
    return text
  }
  const { concurrency = 1, ordered = false } = limit ?? {}
  if (!isCount(concurrency, maxConcurrency))
    throw wrong(`limit.concurrency must be a whole number from 1 to ${maxConcurrency}.`)
  if (ordered && concurrency > 1)
    throw wrong('limit.ordered needs limit.concurrency 1: several at once are in no order.')
  const perMs = rate ? toMilliseconds(rate.per, `The task ${name}: rate.per`) : 0
  if (rate && !isCount(rate.tasks, maxTasks))
    throw wrong(`rate.tasks must be a whole number from 1 to ${maxTasks}.`)
  if (rate && (perMs < 1_000 || perMs > maxPerMs)) throw wrong('rate.per must be from 1s to 1d.')
  return {
    limit: limit && { key: keyOf(limit.key), concurrency, ordered },
    rate: rate && { key: keyOf(rate.key), tasks: rate.tasks, perMs },
  }
}
