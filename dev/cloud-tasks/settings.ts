import { z } from 'zod'
import { demand, read } from './errors.ts'
import { duration } from './values.ts'

const count = (field: string) => z.number().min(0, `${field} cannot be negative.`)
const time = (field: string) => duration.pipe(count(field))

/** A queue's settings in Google's JSON, read with times in milliseconds. */
export const settingsSchema = z.object({
  rateLimits: z
    .object({
      maxDispatchesPerSecond: count('RateLimits.maxDispatchesPerSecond'),
      maxConcurrentDispatches: count('RateLimits.maxConcurrentDispatches'),
      maxBurstSize: z.number(),
    })
    .partial()
    .default({}),
  retryConfig: z
    .object({
      maxAttempts: z.number().min(-1, 'RetryConfig.maxAttempts must be greater or equal to -1.'),
      maxRetryDuration: time('RetryConfig.maxRetryDuration'),
      minBackoff: time('RetryConfig.minBackoff'),
      maxBackoff: time('RetryConfig.maxBackoff'),
      maxDoublings: count('RetryConfig.maxDoublings'),
    })
    .partial()
    .default({}),
})

/** A queue's settings as a client gives them; what is absent or 0 gets Google's default. */
export type SettingsResource = z.input<typeof settingsSchema>

/** A queue's settings in full. */
export type QueueSettings = typeof defaults

const defaults = {
  rateLimits: { maxDispatchesPerSecond: 500, maxConcurrentDispatches: 1000, maxBurstSize: 100 },
  retryConfig: {
    ...{ maxAttempts: 100, maxRetryDuration: 0 },
    ...{ minBackoff: 100, maxBackoff: 3_600_000, maxDoublings: 16 },
  },
}

/** Reads settings over those of `before`. @throws {ApiError} INVALID_ARGUMENT; not for Google's upper limits */
export function readSettings(given: unknown, before: QueueSettings = defaults): QueueSettings {
  const settings = read(settingsSchema, given)
  const rateLimits = { ...before.rateLimits, ...withoutZeros(settings.rateLimits) }
  const retryConfig = { ...before.retryConfig, ...withoutZeros(settings.retryConfig) }
  const order = 'RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.'
  demand(retryConfig.minBackoff <= retryConfig.maxBackoff, order)
  rateLimits.maxBurstSize = Math.max(10, Math.ceil(rateLimits.maxDispatchesPerSecond / 5)) // not for clients to set
  return { rateLimits, retryConfig }
}

function withoutZeros(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value))
}

/** The settings, unless Google allows less. @throws {ApiError} INVALID_ARGUMENT */
export function withinLimits(settings: QueueSettings): QueueSettings {
  const { maxDispatchesPerSecond, maxConcurrentDispatches } = settings.rateLimits
  const limit = (field: string, most: number) => `RateLimits.${field} must be less than or equal to ${most}.`
  demand(maxDispatchesPerSecond <= 500, limit('maxDispatchesPerSecond', 500))
  demand(maxConcurrentDispatches <= 5000, limit('maxConcurrentDispatches', 5000))
  return settings
}
