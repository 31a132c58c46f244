import { defineRoute, json, jsonBody, problems, z } from '#runtime'
import { orderProblems } from './problems.ts'
import { NewOrder, Order, OrderPage, OrderParams, OrderQuery } from './schemas.ts'

const ETag = 'The version of the order'

export const placeOrder = defineRoute({
  method: 'post',
  path: '/orders',
  operationId: 'placeOrder',
  summary: 'Place an order',
  security: ['orders:write'],
  idempotent: true,
  request: { body: jsonBody(NewOrder) },
  responses: { 201: json('The order', Order, { Location: 'The URL of the order', ETag }) },
})

export const listOrders = defineRoute({
  method: 'get',
  path: '/orders',
  operationId: 'listOrders',
  summary: 'List your orders, newest first',
  security: ['orders:read'],
  request: { query: OrderQuery },
  responses: { 200: json('A page of orders', OrderPage) },
})

export const getOrder = defineRoute({
  method: 'get',
  path: '/orders/{id}',
  operationId: 'getOrder',
  summary: 'Show an order',
  security: ['orders:read'],
  request: {
    params: OrderParams,
    headers: z.object({ 'if-none-match': z.string().optional().openapi({ example: '"1"' }) }),
  },
  responses: {
    200: json('The order', Order, { ETag }),
    304: { description: 'The order still has the version in If-None-Match' },
  },
  problems: [orderProblems.ORDER_NOT_FOUND],
})

export const cancelOrder = defineRoute({
  method: 'post',
  path: '/orders/{id}/cancel',
  operationId: 'cancelOrder',
  summary: 'Cancel an order that is not fulfilled yet',
  description: 'Cancelling a cancelled order changes nothing and returns 200.',
  security: ['orders:write'],
  request: {
    params: OrderParams,
    headers: z.object({ 'if-match': z.string().optional().openapi({ example: '"1"' }) }),
  },
  responses: { 200: json('The order, cancelled', Order, { ETag }) },
  problems: [...Object.values(orderProblems), problems.PRECONDITION_FAILED],
})
