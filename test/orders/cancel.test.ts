import { describe, expect, test } from 'vitest'
import { expectJson, expectProblem, testService } from '#test/kit'
import { fulfil, idAt, type Order } from './orders.ts'

const service = await testService()
const alice = await service.as('alice', ['orders:read', 'orders:write'])

async function place(): Promise<Order> {
  return expectJson(await alice('/orders', { json: { item: 'Teapot', quantity: 2 } }), 201)
}

function cancel(id: string, ifMatch?: string) {
  const headers = ifMatch === undefined ? {} : { 'If-Match': ifMatch }
  return alice(`/orders/${id}/cancel`, { method: 'POST', headers })
}

test('a placed order is cancelled, and its version counts up', async () => {
  const order = await place()
  const response = await cancel(order.id)
  expect(await expectJson(response)).toEqual({ ...order, status: 'cancelled' })
  expect(response.headers.get('etag')).toBe('"2"')
  const read = await alice(`/orders/${order.id}`)
  expect(await expectJson(read)).toEqual({ ...order, status: 'cancelled' })
  expect(read.headers.get('etag')).toBe('"2"')
})

test('cancelling again answers the same and changes nothing', async () => {
  const { id } = await place()
  const first = await expectJson(await cancel(id))
  const again = await cancel(id)
  expect(await expectJson(again)).toEqual(first)
  expect(again.headers.get('etag')).toBe('"2"')
})

test('a fulfilled order is not cancelled: 409, and it stays fulfilled', async () => {
  const { id } = await place()
  await fulfil(service.databaseUrl, id)
  await expectProblem(await cancel(id), 409, 'ORDER_FULFILLED')
  await expectProblem(await cancel(id, '"2"'), 409, 'ORDER_FULFILLED')
  expect(await expectJson(await alice(`/orders/${id}`))).toMatchObject({ status: 'fulfilled' })
})

describe('If-Match', () => {
  test.each([
    ['the version', '"1"'],
    ['the version as a weak tag, which is what gzip makes of it', 'W/"1"'],
    ['the version in a list', '"7", "1", "tag"'],
    ['any version', '*'],
    ['any version, between blanks', ' * '],
  ])('with %s cancels', async (_what, ifMatch) => {
    const { id } = await place()
    expect(await expectJson(await cancel(id, ifMatch))).toMatchObject({ id, status: 'cancelled' })
  })

  test.each([
    ['another version', '"2"'],
    ['a list of others', '"2", W/"3"'],
    ['the number without quotes', '1'],
    ['the number with a zero before it', '"01"'],
    ['the number with a sign', '"+1"'],
    ['a quote that does not close', '"1'],
    ['a tag of another kind', '"33a64df5"'],
    ['a version beyond every integer', '"99999999999999999999"'],
    ['the highest integer and one', '"2147483648"'],
    ['an injection', '"1) or (1=1"'],
    ['rubbish', '{}'],
    ['nothing', ''],
  ])('with %s changes nothing: 412', async (_what, ifMatch) => {
    const order = await place()
    await expectProblem(await cancel(order.id, ifMatch), 412, 'PRECONDITION_FAILED')
    const read = await alice(`/orders/${order.id}`)
    expect(await expectJson(read)).toEqual(order)
    expect(read.headers.get('etag')).toBe('"1"')
  })

  test('with the version before a change is stale, whatever the order has become', async () => {
    const { id } = await place()
    await expectJson(await cancel(id, '"1"'))
    await expectProblem(await cancel(id, '"1"'), 412, 'PRECONDITION_FAILED')
    const fulfilled = await place()
    await fulfil(service.databaseUrl, fulfilled.id)
    await expectProblem(await cancel(fulfilled.id, '"1"'), 412, 'PRECONDITION_FAILED')
  })

  test('with the version of the cancelled order answers 200 again', async () => {
    const { id } = await place()
    await expectJson(await cancel(id))
    const again = await cancel(id, '"2"')
    expect(await expectJson(again)).toMatchObject({ status: 'cancelled' })
    expect(again.headers.get('etag')).toBe('"2"')
  })

  test('does not answer for an order that is not there', async () => {
    await expectProblem(await cancel(idAt(0), '*'), 404, 'ORDER_NOT_FOUND')
    await expectProblem(await cancel(idAt(0), '"1"'), 404, 'ORDER_NOT_FOUND')
  })
})

test('an id that nobody has is a 404', async () => {
  await expectProblem(await cancel(idAt(0)), 404, 'ORDER_NOT_FOUND')
})

test('a rubbish id is a 400', async () => {
  await expectProblem(await cancel('teapot'), 400, 'VALIDATION_FAILED')
})

test('a query is refused: the route takes none', async () => {
  const { id } = await place()
  await expectProblem(
    await alice(`/orders/${id}/cancel?reason=none`, { method: 'POST' }),
    400,
    'VALIDATION_FAILED',
  )
})
