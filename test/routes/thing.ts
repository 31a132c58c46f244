import { z } from '@hono/zod-openapi'
import { json, jsonBody } from '#src/runtime/routes/route.ts'

const Thing = z.object({ name: z.string(), size: z.int().optional() })

/** A route of the type tests, without its security. */
export const thing = {
  method: 'post',
  path: '/things/{id}',
  operationId: 'makeThing',
  summary: 'Make a thing',
  request: {
    params: z.object({ id: z.uuid() }),
    query: z.strictObject({ limit: z.number().default(1), word: z.string().optional() }),
    headers: z.object({ 'if-match': z.string().optional() }),
    body: jsonBody(z.strictObject({ name: z.string(), at: z.string().transform(() => new Date()) })),
  },
  responses: {
    200: json('The thing', Thing),
    201: json('A new thing', Thing),
    204: { description: 'Nothing' },
  },
} as const
