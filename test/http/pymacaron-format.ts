import { z } from '@hono/zod-openapi'
import type { ProblemFormat } from '#src/runtime/http/problem-format.ts'

/**
 * The error body of PyMacaron, for clients that already read it. In a fork: put it in `src/`, and name it as
 * `problemFormat` in `app.ts`; the contract follows.
 *
 * @see https://github.com/pymacaron/pymacaron
 */
export const pymacaronFormat: ProblemFormat = {
  contentType: 'application/json',
  schema: z
    .strictObject({
      status: z.int().min(400).max(599),
      error: z
        .string()
        .openapi({ description: 'Identifies the kind of problem. It is stable: clients can rely on it' }),
      error_description: z.string(),
      user_message: z
        .string()
        .openapi({ description: 'May be shown to a person; empty where there is nothing to say' }),
      error_id: z.string().openapi({ description: 'Finds the request in the logs' }),
    })
    .openapi('Error'),
  format: ({ status, code, title, detail, userMessage, traceId }) => ({
    status,
    error: code,
    error_description: detail ?? title,
    user_message: userMessage ?? '',
    error_id: traceId,
  }),
}
