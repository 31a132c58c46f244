import { z } from 'zod'
import { demand, duration, read } from './google.ts'

const count = (field: string) => z.number().min(0, `${field} cannot be negative.`)
const time = (field: string) => duration.pipe(count(field))
const order = 'RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.'

const rateLimits = z.object({
  maxDispatchesPerSecond: count('RateLimits.maxDispatchesPerSecond').default(500),
  maxConcurrentDispatches: count('RateLimits.maxConcurrentDispatches').default(1000),
})
const retryConfig = z.object({
  maxAttempts: z.number().min(-1, 'RetryConfig.maxAttempts must be greater or equal to -1.').default(100),
  maxRetryDuration: time('RetryConfig.maxRetryDuration').default(0),
  minBackoff: time('RetryConfig.minBackoff').default(100),
  maxBackoff: time('RetryConfig.maxBackoff').default(3_600_000),
  maxDoublings: count('RetryConfig.maxDoublings').default(16),
})

/** A queue's settings in Google's JSON, read with times in milliseconds and Google's defaults. */
export const settingsSchema = z.object({
  rateLimits: rateLimits.prefault({}),
  retryConfig: retryConfig.refine((config) => config.minBackoff <= config.maxBackoff, order).prefault({}),
})
export type SettingsResource = z.input<typeof settingsSchema>
export type QueueSettings = z.output<typeof settingsSchema>

/** Reads settings, or refuses them; what is absent or 0 stays as it was. They may be above Google's limits. */
export function readSettings(given: SettingsResource, before?: QueueSettings): QueueSettings {
  const old = before && settingsSchema.encode(before)
  return read(settingsSchema, {
    rateLimits: { ...old?.rateLimits, ...withoutZeros(given.rateLimits) },
    retryConfig: { ...old?.retryConfig, ...withoutZeros(given.retryConfig) },
  })
}

function withoutZeros(fields: object = {}): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value && value !== '0s'))
}

/** The settings, unless they are above Google's limits: those are refused. */
export function withinLimits(settings: QueueSettings): QueueSettings {
  const { maxDispatchesPerSecond, maxConcurrentDispatches } = settings.rateLimits
  const limit = (field: string, most: number) => `RateLimits.${field} must be less than or equal to ${most}.`
  demand(maxDispatchesPerSecond <= 500, limit('maxDispatchesPerSecond', 500))
  demand(maxConcurrentDispatches <= 5000, limit('maxConcurrentDispatches', 5000))
  return settings
}
