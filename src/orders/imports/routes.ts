import { defineRoute, json } from '#runtime'
import { importProblems } from '../problems.ts'
import { Import, ImportParams, OrdersFile } from './schemas.ts'

export const importOrders = defineRoute({
  method: 'post',
  path: '/orders/imports',
  operationId: 'importOrders',
  summary: 'Place the orders of a CSV file',
  description: 'Each row becomes an order. A row that is wrong is refused, and does not stop the others.',
  security: ['orders:write'],
  idempotent: true,
  request: { body: { required: true, content: { 'text/csv': { schema: OrdersFile } } } },
  responses: { 202: json('The import, which has begun', Import, { Location: 'The URL of the import' }) },
})

export const getImport = defineRoute({
  method: 'get',
  path: '/orders/imports/{id}',
  operationId: 'getImport',
  summary: 'Show how far an import is',
  security: ['orders:read'],
  request: { params: ImportParams },
  responses: { 200: json('The import', Import) },
  problems: [importProblems.IMPORT_NOT_FOUND],
})
