import { z } from '@hono/zod-openapi'
import { defineRoute, handle, json } from '#src/runtime/openapi/route.ts'

const Seen = z.object({ params: z.record(z.string(), z.string()) })

const removed = defineRoute({
  method: 'delete',
  path: '/things/{id}',
  operationId: 'removeThing',
  summary: 'Remove a thing',
  security: 'public',
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: 'It is gone' } },
})

const below = defineRoute({
  method: 'get',
  path: '/things/{id}',
  operationId: 'showNestedThing',
  summary: 'Show a thing of a shop',
  security: 'public',
  request: { params: z.object({ shop: z.string(), id: z.string() }) },
  responses: { 200: json('What the path holds', Seen) },
})

/** Shapes of paths. */
export function paths() {
  return [handle(removed, (c) => c.body(null, 204))]
}

/** Routes below a prefix that has a parameter of its own. */
export function nested() {
  return [handle(below, (c) => c.json({ params: c.req.valid('param') }, 200))]
}
