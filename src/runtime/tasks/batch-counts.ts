import { z } from '@hono/zod-openapi'

const count = z.int().min(0)

/**
 * How the tasks of a batch have ended. The payload of a batch's final task has it as `batch`.
 *
 * @example
 * const report = defineTask({
 *   name: 'orders.report',
 *   payload: z.object({ customer: z.string(), batch: BatchCounts }),
 *   async run({ payload: { customer, batch }, log }) {
 *     log.info(`${customer}: ${batch.done} of ${batch.size} are done`)
 *   },
 * })
 */
export const BatchCounts = z.object({
  id: z.uuid(),
  size: count,
  done: count,
  dead: count,
  cancelled: count,
})

/** How the tasks of a batch have ended. */
export type BatchCounts = z.infer<typeof BatchCounts>
