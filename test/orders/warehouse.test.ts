import { beforeEach, expect, test } from 'vitest'
import { expectJson, onServer, startTarget, type Target, taskService } from '#test/kit'
import type { Order } from './orders.ts'

const warehouse = await startTarget()
const { url } = warehouse
const service = await taskService({ environment: { WAREHOUSE_URL: `${url}/` } })
const alice = await service.as('alice', ['orders:read', 'orders:write'])

const answers = (status: number, body: string): Target['answers'][number] => {
  return (_request, response) => void response.writeHead(status).end(body)
}
const shipped = answers(201, '{"id":"parcel 7"}')
const place = async () =>
  expectJson<Order>(await alice('/orders', { json: { item: 'Teapot', quantity: 2 } }), 201)
const read = async ({ id }: Order) => expectJson<Order>(await alice(`/orders/${id}`))
/** Of the request that placed it. */
const traceOf = async ({ id }: Order) =>
  (
    await onServer(
      service.databaseUrl,
      `select trace_id, request_id from runtime.tasks where payload->>'orderId' = '${id}'`,
    )
  ).rows[0]
const last = async () => (await service.ledger()).at(-1)

beforeEach(() => {
  warehouse.received.length = 0
  warehouse.answers = []
})

test('it is asked as agreed: the order, and the task’s id as the key', async () => {
  warehouse.answers = [shipped]
  const order = await place()
  await service.drain({ until: '5s' })
  const [call] = warehouse.received
  const trace = await traceOf(order)
  expect(call).toMatchObject({ method: 'POST', path: '/work/shipments' })
  expect(call?.headers).toMatchObject({
    'content-type': 'application/json',
    'idempotency-key': (await last())?.id,
    traceparent: expect.stringMatching(new RegExp(`^00-${trace?.trace_id}-[\\da-f]{16}-0[01]$`)),
    'x-request-id': trace?.request_id,
  })
  expect(JSON.parse(call?.body ?? '')).toEqual({ orderId: order.id, item: 'Teapot', quantity: 2 })
  expect(await read(order)).toMatchObject({ status: 'fulfilled' })
})

test.each([
  ['503', answers(503, ''), `POST ${url}/shipments responded with 503`],
  ['200, which is not 201', answers(200, '{"id":"parcel 7"}'), 'The warehouse responded with 200'],
  ['a redirect', answers(302, ''), `POST ${url}/shipments responded with 302`],
  ['201 without an id', answers(201, '{}'), 'ZodError'],
  ['201 without JSON', answers(201, 'shipped!'), 'SyntaxError'],
  ['nothing: it hangs up', (request) => request.socket.destroy(), 'got no response: UND_ERR_SOCKET'],
] as [string, Target['answers'][number], string][])(
  'where it answers %s, the order stays placed; the next attempt has the same key',
  async (_what, response, error) => {
    warehouse.answers = [response, shipped]
    const order = await place()
    await service.drain({ until: '5s' })
    expect(await last()).toMatchObject({
      state: 'queued',
      attempts: 1,
      last_error: expect.stringContaining(error),
    })
    expect(await read(order)).toMatchObject({ status: 'placed' })
    await service.drain({ until: '15s' })
    expect(await read(order)).toMatchObject({ status: 'fulfilled' })
    expect(warehouse.received).toHaveLength(2)
    expect(new Set(warehouse.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  },
)

test('an order that is no longer placed is not sent', async () => {
  const order = await place()
  await service.database.execute(`update orders set status = 'cancelled' where id = '${order.id}'`)
  await service.drain({ until: '5s' })
  expect(warehouse.received).toEqual([])
  expect(await last()).toMatchObject({ state: 'done' })
})
