import { z } from 'zod'
import { demand } from './errors.ts'
import { duration, read, toDuration } from './values.ts'

const atLeast = (least: number, message: string) => z.number().min(least, message)
const count = (field: string) => atLeast(0, `${field} cannot be negative.`)
const time = (field: string) => duration.pipe(count(field))

const schema = z.object({
  rateLimits: z
    .object({
      maxDispatchesPerSecond: count('RateLimits.maxDispatchesPerSecond'),
      maxConcurrentDispatches: count('RateLimits.maxConcurrentDispatches'),
    })
    .partial()
    .default({}),
  retryConfig: z
    .object({
      maxAttempts: atLeast(-1, 'RetryConfig.maxAttempts must be greater or equal to -1.'),
      maxRetryDuration: time('RetryConfig.maxRetryDuration'),
      minBackoff: time('RetryConfig.minBackoff'),
      maxBackoff: time('RetryConfig.maxBackoff'),
      maxDoublings: count('RetryConfig.maxDoublings'),
    })
    .partial()
    .default({}),
})

/** A queue's settings in Google's JSON, durations as `0.100s`; what is absent or 0 gets Google's default. */
export type SettingsResource = z.input<typeof schema>

/** A queue's settings in full, durations in milliseconds. */
export type QueueSettings = typeof defaults

const defaults = {
  rateLimits: { maxDispatchesPerSecond: 500, maxConcurrentDispatches: 1000 },
  retryConfig: {
    ...{ maxAttempts: 100, maxRetryDuration: 0 },
    ...{ minBackoff: 100, maxBackoff: 3_600_000, maxDoublings: 16 },
  },
}

/**
 * Reads a queue's settings.
 *
 * @param before what holds where nothing is given
 * @throws {ApiError} INVALID_ARGUMENT in Google's words; its upper limits are `checkLimits`'
 */
export function readSettings(given: unknown, before = defaults): QueueSettings {
  const { rateLimits, retryConfig } = read(schema, given)
  const settings = {
    rateLimits: { ...before.rateLimits, ...withoutZeros(rateLimits) },
    retryConfig: { ...before.retryConfig, ...withoutZeros(retryConfig) },
  }
  const { minBackoff, maxBackoff } = settings.retryConfig
  const order = 'RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.'
  demand(minBackoff <= maxBackoff, order)
  return settings
}

function withoutZeros(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value))
}

/** @throws {ApiError} where the settings are above what Google allows */
export function checkLimits({ rateLimits: rate }: QueueSettings): void {
  const limit = (field: string, most: number) => `RateLimits.${field} must be less than or equal to ${most}.`
  demand(rate.maxDispatchesPerSecond <= 500, limit('maxDispatchesPerSecond', 500))
  demand(rate.maxConcurrentDispatches <= 5000, limit('maxConcurrentDispatches', 5000))
}

/** How many dispatches a rested queue makes at once. Google picks it by the rate: 100 at the highest. */
export function burst({ rateLimits: rate }: QueueSettings): number {
  return Math.max(10, Math.ceil(rate.maxDispatchesPerSecond / 5))
}

/** The settings as Google's JSON. */
export function renderSettings(settings: QueueSettings) {
  const { rateLimits, retryConfig } = settings
  const minBackoff = toDuration(retryConfig.minBackoff)
  const maxBackoff = toDuration(retryConfig.maxBackoff)
  const maxRetryDuration = toDuration(retryConfig.maxRetryDuration)
  return {
    rateLimits: { ...rateLimits, maxBurstSize: burst(settings) },
    retryConfig: { ...retryConfig, minBackoff, maxBackoff, maxRetryDuration },
  }
}
