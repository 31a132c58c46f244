import { describe, expect, test } from 'vitest'
import { encodeCursor } from '#runtime'
import { expectJson, expectProblem, testService } from '#test/kit'
import { firstTime, idAt, insertOrders, type Page } from './orders.ts'

const service = await testService()
const as = (subject: string) => service.as(subject, ['orders:read'])
const alice = await as('alice')
const nobody = await as('nobody')
const newestFirst = (await insertOrders(service.databaseUrl, 'alice', 105)).reverse()

async function page(query = '', api = alice): Promise<Page> {
  return expectJson<Page>(await api(`/orders${query}`))
}

const idsOf = ({ items }: Page) => items.map(({ id }) => id)

test('a caller without orders gets an empty page, the last one', async () => {
  expect(await page('', nobody)).toEqual({ items: [] })
})

test('orders come newest first, each as it is shown alone', async () => {
  const { items } = await page('?limit=3')
  expect(idsOf({ items })).toEqual(newestFirst.slice(0, 3))
  for (const item of items) expect(await expectJson(await alice(`/orders/${item.id}`))).toEqual(item)
})

describe('limit', () => {
  test('is 20 unless the caller says otherwise', async () => {
    const { items, nextCursor } = await page()
    expect(idsOf({ items })).toEqual(newestFirst.slice(0, 20))
    expect(nextCursor).toBe(encodeCursor(newestFirst[19] ?? ''))
  })

  test.each([1, 2, 99, 100])('may be %i', async (limit) => {
    expect(idsOf(await page(`?limit=${limit}`))).toEqual(newestFirst.slice(0, limit))
  })

  test.each([
    '0',
    '-1',
    '101',
    '1000000',
    '9'.repeat(400),
    '1.5',
    '010',
    '0x10',
    '١',
    'ten',
    '',
    '+5',
    '%205',
    'NaN',
  ])('may not be %j', async (limit) => {
    const problem = await expectProblem(
      await alice(`/orders?limit=${encodeURI(limit)}`),
      400,
      'VALIDATION_FAILED',
    )
    expect(problem.errors).toMatchObject([{ in: 'query', pointer: '#/limit' }])
  })
})

describe('the last page', () => {
  test('has no nextCursor when it is exactly full', async () => {
    const ids = (await insertOrders(service.databaseUrl, 'exact', 4)).reverse()
    const api = await as('exact')
    const first = await page('?limit=2', api)
    expect(first).toMatchObject({ nextCursor: expect.any(String) })
    const last = await page(`?limit=2&cursor=${first.nextCursor}`, api)
    expect(idsOf(last)).toEqual(ids.slice(2))
    expect(last).not.toHaveProperty('nextCursor')
  })

  test('has none when the limit is the number of orders', async () => {
    await insertOrders(service.databaseUrl, 'full', 3)
    expect(await page('?limit=3', await as('full'))).not.toHaveProperty('nextCursor')
  })

  test('is empty behind the cursor of the oldest order', async () => {
    expect(await page(`?cursor=${encodeCursor(newestFirst.at(-1) ?? '')}`)).toEqual({ items: [] })
  })
})

describe('status', () => {
  test.each(['placed', 'fulfilled', 'cancelled'] as const)(
    '%s lists those only, page by page',
    async (status) => {
      const owner = `filter-${status}`
      await insertOrders(service.databaseUrl, owner, 3, 'placed')
      await insertOrders(service.databaseUrl, owner, 3, 'fulfilled')
      await insertOrders(service.databaseUrl, owner, 3, 'cancelled')
      const api = await as(owner)
      const first = await page(`?limit=2&status=${status}`, api)
      const last = await page(`?limit=2&status=${status}&cursor=${first.nextCursor}`, api)
      const items = [...first.items, ...last.items]
      expect(items.map((item) => item.status)).toEqual([status, status, status])
      expect(idsOf({ items })).toEqual(idsOf({ items }).sort().reverse())
      expect(last).not.toHaveProperty('nextCursor')
    },
  )

  test.each(['open', '', 'PLACED', 'placed,fulfilled', '*'])('may not be %j', async (status) => {
    const problem = await expectProblem(await alice(`/orders?status=${status}`), 400, 'VALIDATION_FAILED')
    expect(problem.errors).toMatchObject([{ in: 'query', pointer: '#/status' }])
  })
})

describe('cursor', () => {
  const good = encodeCursor(idAt(firstTime))

  test.each([
    ['empty', ''],
    ['a word', 'next'],
    ['a number', '20'],
    ['a row’s id itself', newestFirst[0] ?? ''],
    ['cut short', good.slice(0, -1)],
    ['a character too long', `${good}A`],
    ['padded', `${good}==`],
    ['with a bit set that no byte has', `${good.slice(0, -1)}B`],
    ['of the other base64 alphabet', `${good.slice(0, 10)}+/${good.slice(12)}`],
    ['between blanks', `%20${good}`],
    ['repeated in itself', good + good],
    ['an injection', "'%20or%201=1--"],
    ['a NUL character', `${good.slice(0, 21)}%00`],
    ['very long', 'A'.repeat(5_000)],
  ])('that is rubbish (%s) is a 400', async (_what, cursor) => {
    const problem = await expectProblem(await alice(`/orders?cursor=${cursor}`), 400, 'VALIDATION_FAILED')
    expect(problem.errors).toMatchObject([{ in: 'query', pointer: '#/cursor' }])
  })

  test('of someone else’s list shows one’s own orders only', async () => {
    const [foreign = ''] = await insertOrders(service.databaseUrl, 'bob', 1)
    const { items } = await page(`?limit=100&cursor=${encodeCursor(foreign)}`)
    for (const { id } of items) expect(newestFirst).toContain(id)
  })

  test('goes on from an order that has gone since', async () => {
    const gone = idAt(firstTime + 100 * 60_000 + 1) // a moment after the hundred and first
    expect(idsOf(await page(`?limit=2&cursor=${encodeCursor(gone)}`))).toEqual(newestFirst.slice(4, 6))
  })
})

test.each([
  ['a key that the contract does not name', 'page=2', '#/page'],
  ['a key in another case', 'Limit=2', '#/Limit'],
  ['a key of prototypes', '__proto__=1', '#/__proto__'],
  ['a repeated limit', 'limit=2&limit=2', '#/limit'],
  ['a repeated cursor', 'cursor=a&cursor=b', '#/cursor'],
  ['a repeated status', 'status=placed&status=cancelled', '#/status'],
  ['a list in brackets', 'status[]=placed', '#/status%5B%5D'],
])('%s is refused', async (_what, query, pointer) => {
  const problem = await expectProblem(await alice(`/orders?${query}`), 400, 'VALIDATION_FAILED')
  expect(problem.errors).toMatchObject([{ in: 'query', pointer }])
})
