import { defineProblems } from '#runtime'

/** The problems of orders, beside those that any request may have. */
export const orderProblems = defineProblems({
  ORDER_NOT_FOUND: { status: 404, title: 'There is no such order' },
  ORDER_IN_FULFILMENT: { status: 409, title: 'The order may be on its way already' },
  ORDER_FULFILLED: { status: 409, title: 'The order is fulfilled already' },
})

/** The problems of imports of orders. */
export const importProblems = defineProblems({
  IMPORT_NOT_FOUND: { status: 404, title: 'There is no such import' },
})
