import { callers, orderId, ordersPerCaller } from './environment.ts'
import type { HttpRequest } from './send.ts'
import { signToken } from './token.ts'

/** What Google's front end adds to each request. */
export const front = {
  'user-agent': 'bench/1.0',
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-proto': 'https',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
}
const json = { 'content-type': 'application/json' }

/** Headers of each caller: its token, and what the front end adds. */
const signed = callers.map((caller) => ({ ...front, authorization: `Bearer ${signToken(caller)}` }))
const forged = signToken('caller-00', 'this-is-another-secret-of-the-same-length----')

const order = JSON.stringify({ item: 'Teapot', quantity: 2 })

/** The work of the sections: requests that are sent in turn. */
export const requests = {
  /** Each caller's own orders, one row each. */
  get: signed.flatMap((headers, caller) =>
    [3, 17, 40, 61].map(
      (which): HttpRequest => ({ method: 'GET', path: `/orders/${orderId(caller, which)}`, headers }),
    ),
  ),
  post: signed.map(
    (headers): HttpRequest => ({
      method: 'POST',
      path: '/orders',
      headers: { ...headers, ...json },
      body: order,
    }),
  ),
  /** 20 orders in the middle of the list, by the cursor of a page. */
  list: signed.map((headers, caller): HttpRequest => {
    const cursor = Buffer.from(orderId(caller, ordersPerCaller - 20).replaceAll('-', ''), 'hex').toString(
      'base64url',
    )
    return { method: 'GET', path: `/orders?limit=20&cursor=${cursor}`, headers }
  }),
  listGzip: [] as HttpRequest[],
  noToken: [{ method: 'GET', path: `/orders/${orderId(0, 3)}`, headers: front }] satisfies HttpRequest[],
  badToken: [
    {
      method: 'GET',
      path: `/orders/${orderId(0, 3)}`,
      headers: { ...front, authorization: `Bearer ${forged}` },
    },
  ] satisfies HttpRequest[],
  badBody: signed.map((headers): HttpRequest => {
    const body = JSON.stringify({ item: '', quantity: 'many' })
    return { method: 'POST', path: '/orders', headers: { ...headers, ...json }, body }
  }),
}
requests.listGzip = requests.list.map((request) => ({
  ...request,
  headers: { ...request.headers, 'accept-encoding': 'gzip' },
}))

/** A name of work. */
export type Work = keyof typeof requests
