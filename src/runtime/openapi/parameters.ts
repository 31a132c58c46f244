import { z } from '@hono/zod-openapi'

/** A query parameter that is a whole number, from its decimal digits: neither `1e2` nor `0x10`. */
export function integerParameter(minimum: number, maximum: number, byDefault: number) {
  const right = `must be a whole number from ${minimum} to ${maximum}`
  return z
    .string()
    .regex(/^-?\d{1,15}$/, right)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, right)
    .prefault(String(byDefault))
    .openapi({ type: 'integer', minimum, maximum, default: byDefault })
}
