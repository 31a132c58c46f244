import { describe, expect, test } from 'vitest'
import { expectJson, expectProblem, testService } from '#test/kit'
import { fulfil, idAt, insertOrders, type Order } from './orders.ts'

const service = await testService()
const alice = await service.as('alice', ['orders:read', 'orders:write'])
const placed = await expectJson<Order>(await alice('/orders', { json: { item: 'Teapot', quantity: 2 } }), 201)
const ask = (header: string) => alice(`/orders/${placed.id}`, { headers: { 'If-None-Match': header } })

test('an order is read as it was answered when it was placed, with its version', async () => {
  const response = await alice(`/orders/${placed.id}`)
  expect(await expectJson(response)).toEqual(placed)
  expect(response.headers.get('etag')).toBe('"1"')
})

test.each(['fulfilled', 'cancelled'] as const)('an order that is %s says so', async (status) => {
  const [id] = await insertOrders(service.databaseUrl, 'alice', 1, status)
  expect(await expectJson(await alice(`/orders/${id}`))).toMatchObject({ id, status })
})

test('the id may be written in capitals', async () => {
  expect(await expectJson(await alice(`/orders/${placed.id.toUpperCase()}`))).toEqual(placed)
})

describe('If-None-Match', () => {
  test.each([
    ['the version', '"1"'],
    ['the version as a weak tag, which is what gzip makes of it', 'W/"1"'],
    ['the version in a list', '"7", "1"'],
    ['the version in a list of weak tags without blanks', 'W/"7",W/"1"'],
    ['a list with empty elements', ', "1",, '],
    ['any version', '*'],
    ['any version, between blanks', ' * '],
  ])('with %s: 304, the tag, and no body', async (_what, header) => {
    const response = await ask(header)
    expect(response.status).toBe(304)
    expect(response.headers.get('etag')).toBe('"1"')
    expect(response.headers.get('content-type')).toBeNull()
    expect(response.headers.get('content-length')).toBeNull()
    expect(response.headers.get('x-request-id')).not.toBeNull()
    expect(await response.text()).toBe('')
  })

  test.each([
    ['another version', '"2"'],
    ['a longer one', '"11"'],
    ['several others', '"0", W/"2", "3"'],
    ['the number without quotes', '1'],
    ['a quote that does not close', '"1'],
    ['rubbish', '{}'],
    ['nothing', ''],
    ['a tag of another kind', '"33a64df5"'],
  ])('with %s: 200 and the order', async (_what, header) => {
    const response = await ask(header)
    expect(await expectJson(response)).toEqual(placed)
    expect(response.headers.get('etag')).toBe('"1"')
  })

  test('with the version before a change: 200 and the order as it is now', async () => {
    const order = await expectJson<Order>(await alice('/orders', { json: { item: 'Cup', quantity: 1 } }), 201)
    await fulfil(service.databaseUrl, order.id)
    const response = await alice(`/orders/${order.id}`, { headers: { 'If-None-Match': '"1"' } })
    expect(await expectJson(response)).toEqual({ ...order, status: 'fulfilled' })
    expect(response.headers.get('etag')).toBe('"2"')
  })

  test('does not answer for an order that is not there', async () => {
    const response = await alice(`/orders/${idAt(0)}`, { headers: { 'If-None-Match': '*' } })
    await expectProblem(response, 404, 'ORDER_NOT_FOUND')
  })
})

test('an id that nobody has is a 404 of the feature’s own', async () => {
  const path = `/orders/${idAt(0)}`
  const problem = await expectProblem(await alice(path), 404, 'ORDER_NOT_FOUND')
  expect(problem).toMatchObject({ title: 'There is no such order', instance: path })
})

test.each([
  ['a word', 'teapot'],
  ['a number', '1'],
  ['a UUID without hyphens', placed.id.replaceAll('-', '')],
  ['a UUID in braces', `{${placed.id}}`],
  ['a UUID and more', `${placed.id}0`],
  ['an injection', "' or 1=1 --"],
  ['a NUL character', '\0'],
])('%s is not an id: 400', async (_what, id) => {
  const problem = await expectProblem(
    await alice(`/orders/${encodeURIComponent(id)}`),
    400,
    'VALIDATION_FAILED',
  )
  expect(problem.errors).toMatchObject([{ in: 'path', pointer: '#/id' }])
})

test('a query is refused: the route takes none', async () => {
  await expectProblem(await alice(`/orders/${placed.id}?fields=item`), 400, 'VALIDATION_FAILED')
})
