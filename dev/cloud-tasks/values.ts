import { z } from 'zod'
import { ApiError } from './errors.ts'

/** Google's JSON form of a duration, such as `600s` or `0.100s`, as milliseconds. */
export const duration = z
  .string()
  .regex(/^-?\d+(\.\d{1,9})?s$/)
  .transform((text) => Number.parseFloat(text) * 1000)

/** An RFC 3339 timestamp, as milliseconds since 1970. */
export const timestamp = z.iso.datetime({ offset: true }).transform(Date.parse)

/** A value of a Protobuf enum, by its name or, as the Node client sends it, its number. */
export function enumeration<const Name extends string>(names: readonly [Name, ...Name[]]) {
  const byNumber = (value: unknown) => (/^\d+$/.test(`${value}`) ? names[Number(value)] : value)
  return z.preprocess(byNumber, z.enum(names))
}

/** Milliseconds as a duration. */
export function toDuration(milliseconds: number): string {
  return `${milliseconds / 1000}s`
}

/** Milliseconds since 1970 as a timestamp; nothing for nothing. */
export function toTimestamp(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString()
}

/** Reads what a client sent. @throws {ApiError} INVALID_ARGUMENT, with the first of the schema's messages */
export function read<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const { success, data, error } = schema.safeParse(given)
  if (success) return data
  throw new ApiError('INVALID_ARGUMENT', error.issues[0]?.message ?? 'Invalid value.')
}
