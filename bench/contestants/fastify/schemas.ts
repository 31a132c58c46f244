/** An order as the contract shows it. Fastify compiles a serializer from it. */
export const orderSchema = {
  type: 'object',
  properties: {
    id: { type: 'string', format: 'uuid' },
    item: { type: 'string' },
    quantity: { type: 'integer' },
    status: { type: 'string', enum: ['placed', 'fulfilled', 'cancelled'] },
    createdAt: { type: 'string' },
  },
  required: ['id', 'item', 'quantity', 'status', 'createdAt'],
}

/** The body of a request that places an order. */
export const newOrderSchema = {
  type: 'object',
  properties: {
    item: { type: 'string', minLength: 1, maxLength: 100 },
    quantity: { type: 'integer', minimum: 1, maximum: 1000 },
  },
  required: ['item', 'quantity'],
  additionalProperties: false,
}

/** The query and the page of the list. */
export const listSchema = {
  querystring: {
    type: 'object',
    properties: {
      limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
      cursor: { type: 'string', pattern: '^[\\w-]{21}[AQgw]$' },
      status: { type: 'string', enum: ['placed', 'fulfilled', 'cancelled'] },
    },
    additionalProperties: false,
  },
  response: {
    200: {
      type: 'object',
      properties: { items: { type: 'array', items: orderSchema }, nextCursor: { type: 'string' } },
      required: ['items'],
    },
  },
}
