import { z } from '@hono/zod-openapi'

/** What the routes take as JSON, by their path: each for another cost. */
export const schemas = {
  integers: z.array(z.int()),
  texts: z.array(z.string()),
  objects: z.array(z.strictObject({ a: z.int().optional() })),
  record: z.record(z.string(), z.int()),
  text: z.strictObject({ text: z.string() }),
} as const

/** One of the routes. */
export type Kind = keyof typeof schemas
