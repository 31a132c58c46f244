import { defineRoute, handle, json, jsonBody, z } from '#runtime'

const Line = z.strictObject({
  sku: z.string().regex(/^[A-Z]{2}\d{3}$/),
  count: z.int().min(1).max(99).default(1),
  note: z.string().max(5).nullable().optional(),
})
const Sent = z
  .strictObject({
    name: z.string().min(2).max(4),
    word: z.string().regex(/\S/u).max(10).trim(),
    email: z.email().toLowerCase().optional(),
    at: z.iso.datetime().optional(),
    price: z.number().gt(0).lt(1000),
    dozens: z.int().min(0).max(1200).multipleOf(12).optional(),
    lines: z.array(Line).min(1).max(3),
    kind: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('a'), size: z.int() }),
      z.strictObject({ type: z.literal('b'), pair: z.tuple([z.string(), z.boolean()]) }),
    ]),
    tags: z.record(z.string().regex(/^[a-z]{1,3}$/), z.union([z.int(), z.null()])).optional(),
  })
  .openapi('Sent')

const values = defineRoute({
  method: 'post',
  path: '/values/{id}/{level}',
  operationId: 'sendValues',
  summary: 'Send values of all kinds',
  security: 'public',
  request: {
    params: z.object({ id: z.uuid(), level: z.int().min(-2).max(2) }),
    query: z.strictObject({
      limit: z.int().min(1).max(100).default(20),
      ratio: z.number().min(0).max(1).optional(),
      deep: z.boolean().optional(),
      sizes: z.array(z.int()).max(3).optional(),
      either: z.union([z.int(), z.enum(['all', 'none'])]).optional(),
      text: z.string().min(1).max(5).optional(),
    }),
    headers: z.object({ 'x-size': z.int().optional(), 'x-mode': z.enum(['fast', 'slow']).optional() }),
    body: jsonBody(Sent),
  },
  responses: { 200: json('What came', z.object({ limit: z.int(), sent: Sent })) },
})

/** Values of all kinds, in every place of a request, and sent back. */
export function valueRoutes() {
  return [
    handle(values, (c) => c.json({ limit: c.req.valid('query').limit, sent: c.req.valid('json') }, 200)),
  ]
}
