import { z } from '#runtime'

const checked = z
  .string()
  .min(5)
  .max(50)
  .regex(/^[a-z]+$/)
  .startsWith('a')
const twenty = Object.fromEntries(Array.from({ length: 20 }, (_none, at) => [`field${at}`, z.string()]))

/** What the routes take as JSON, by their path: each for another cost. */
export const schemas = {
  integers: z.array(z.int()),
  texts: z.array(z.string()),
  checked: z.array(checked),
  objects: z.array(z.strictObject({ a: z.int().optional() })),
  wide: z.array(z.strictObject(twenty)),
  unions: z.array(
    z.union([
      z.strictObject({ a: z.int() }),
      z.strictObject({ b: z.string() }),
      z.strictObject({ c: z.boolean() }),
    ]),
  ),
  joined: z.intersection(z.array(z.int()), z.array(z.number().min(1))),
  record: z.record(z.string(), z.int()),
  records: z.record(z.string(), z.record(z.string(), z.union([z.int(), z.boolean()]))),
  others: z.object({ a: z.int().optional() }).catchall(z.int()),
  anything: z.array(z.unknown()),
  text: z.strictObject({ text: z.string() }),
} as const

/** One of the routes. */
export type Kind = keyof typeof schemas
