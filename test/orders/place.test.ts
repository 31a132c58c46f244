import { describe, expect, test } from 'vitest'
import { expectJson, expectProblem, onServer, testService } from '#test/kit'
import type { Order } from './orders.ts'

const service = await testService()
const alice = await service.as('alice', ['orders:write'])
const place = (json: unknown) => alice('/orders', { json })
const teapot = { item: 'Teapot', quantity: 2 }

describe('a placed order', () => {
  test('is answered whole, with where it is and its version', async () => {
    const response = await place(teapot)
    const order = await expectJson<Order>(response, 201)
    expect(order).toEqual({
      id: expect.any(String),
      ...teapot,
      status: 'placed',
      createdAt: expect.any(String),
    })
    expect(Object.keys(order)).toEqual(['id', 'item', 'quantity', 'status', 'createdAt'])
    expect(response.headers.get('location')).toBe(`/orders/${order.id}`)
    expect(response.headers.get('etag')).toBe('"1"')
  })

  test('has a UUIDv7 of this minute', async () => {
    const before = Date.now()
    const { id } = await expectJson<Order>(await place(teapot), 201)
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
    const time = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
    expect(time).toBeGreaterThanOrEqual(before)
    expect(time).toBeLessThanOrEqual(Date.now())
  })

  test('says when it was created in RFC 3339, in UTC, to the millisecond, as the database has it', async () => {
    const { id, createdAt } = await expectJson<Order>(await place(teapot), 201)
    expect(createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    const { rows } = await onServer(service.databaseUrl, 'select created_at from orders where id = $1', [id])
    expect(rows[0].created_at.toISOString()).toBe(createdAt)
  })

  test('is a row of the caller, at version 1', async () => {
    const { id } = await expectJson<Order>(await place(teapot), 201)
    const { rows } = await onServer(service.databaseUrl, 'select * from orders where id = $1', [id])
    expect(rows).toEqual([
      {
        ...{ id, owner: 'alice', ...teapot, status: 'placed', version: 1 },
        ...{ task_id: expect.any(String), created_at: expect.any(Date) },
      },
    ])
  })

  test('is there although no key asked for it: the transaction commits', async () => {
    const { id } = await expectJson<Order>(await place(teapot), 201)
    const { rows } = await onServer(service.databaseUrl, 'select 1 from orders where id = $1', [id])
    expect(rows).toHaveLength(1)
  })
})

describe('the item', () => {
  test.each([
    ['one character', 'x'],
    ['100 characters', 'x'.repeat(100)],
    ['100 emoji, each of which is one character as JSON Schema counts', '🫖'.repeat(100)],
    ['100 letters of three bytes', '茶'.repeat(100)],
    ['letters with accents of their own', 'e\u0301'.repeat(50)],
    ['blanks', '   '],
    ['quotes, backslashes, line ends', `'; drop table orders; -- "\\\n\t\u2028`],
    ['a right-to-left mark', '\u200fإبريق'],
  ])('may be %s, and comes back as it was', async (_what, item) => {
    const response = await expectJson<Order>(await place({ item, quantity: 1 }), 201)
    expect(response.item).toBe(item)
  })

  test.each([
    ['nothing', ''],
    ['101 characters', 'x'.repeat(101)],
    ['101 emoji', '🫖'.repeat(101)],
    ['one emoji too many', `${'x'.repeat(100)}🫖`],
    ['half a megabyte', 'x'.repeat(500_000)],
    ['a number', 1],
    ['null', null],
    ['a list', ['Teapot']],
    ['an object', { name: 'Teapot' }],
    ['a NUL character', 'Tea\0pot'],
    ['a lone surrogate', 'Tea\ud83epot'],
  ])('may not be %s', async (_what, item) => {
    const problem = await expectProblem(await place({ item, quantity: 1 }), 400, 'VALIDATION_FAILED')
    expect(problem.errors).toEqual([{ detail: expect.any(String), in: 'body', pointer: '#/item' }])
  })
})

describe('the quantity', () => {
  test.each([1, 2, 999, 1000])('may be %i', async (quantity) => {
    expect(await expectJson(await place({ item: 'Teapot', quantity }), 201)).toMatchObject({ quantity })
  })

  test.each([0, -1, 1001, 1.5, 1e9, 2 ** 31, 2 ** 53, 1e308, '2', true, null, [2]])(
    'may not be %j',
    async (quantity) => {
      const problem = await expectProblem(await place({ item: 'Teapot', quantity }), 400, 'VALIDATION_FAILED')
      const [error] = problem.errors as unknown[]
      expect(error).toEqual({ detail: expect.any(String), in: 'body', pointer: '#/quantity' })
    },
  )

  test.each([
    ['2.0', 201],
    ['20e-1', 201],
    ['1e400', 400],
    ['-0', 400],
  ])('written as %s in JSON is answered %i', async (quantity, status) => {
    const body = `{"item":"Teapot","quantity":${quantity}}`
    const response = await alice('/orders', { body, headers: { 'Content-Type': 'application/json' } })
    expect(response.status).toBe(status)
    await response.text()
  })
})

test.each([
  ['a key that the contract does not name', { ...teapot, price: 1 }, ['#/price']],
  ['several of them', { ...teapot, price: 1, 'a/b~c': 2 }, ['#/price', '#/a~1b~0c']],
  [
    'what only the service sets',
    { ...teapot, id: 'x', owner: 'bob', status: 'fulfilled' },
    ['#/id', '#/owner', '#/status'],
  ],
  ['nothing at all', {}, ['#/item', '#/quantity']],
  ['a list of orders', [teapot], ['#']],
  ['null', null, ['#']],
  ['a string', 'Teapot', ['#']],
])('%s is refused, with a pointer to each place', async (_what, body, pointers) => {
  const problem = await expectProblem(await place(body), 400, 'VALIDATION_FAILED')
  const errors = problem.errors as { pointer: string; in: string }[]
  expect(errors.map((error) => error.pointer).sort()).toEqual(pointers.sort())
  expect(new Set(errors.map((error) => error.in))).toEqual(new Set(['body']))
})

test('a query is refused: the route takes none', async () => {
  const problem = await expectProblem(
    await alice('/orders?dry-run=1', { json: teapot }),
    400,
    'VALIDATION_FAILED',
  )
  expect(problem.errors).toMatchObject([{ in: 'query', pointer: '#/dry-run' }])
})

test('what is refused leaves no row', async () => {
  const count = 'select count(*)::int as count from orders'
  const before = await onServer(service.databaseUrl, count)
  await expectProblem(await place({ ...teapot, quantity: 0 }), 400, 'VALIDATION_FAILED')
  expect((await onServer(service.databaseUrl, count)).rows).toEqual(before.rows)
})
