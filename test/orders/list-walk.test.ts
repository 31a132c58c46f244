import { expect, test } from 'vitest'
import { type Api, expectJson, testService } from '#test/kit'
import { insertOrders, type Order, type Page } from './orders.ts'

const service = await testService()
const as = (subject: string) => service.as(subject, ['orders:read', 'orders:write'])

async function place(api: Api): Promise<string> {
  const placed = await api('/orders', { json: { item: 'Cup', quantity: 1 } })
  return (await expectJson<Order>(placed, 201)).id
}

/** Follows every nextCursor; `meanwhile` runs at the same time as each page is read. */
async function walk(api: Api, query: string, meanwhile: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const path = `/orders?${query}${cursor === undefined ? '' : `&cursor=${cursor}`}`
    const [response] = await Promise.all([api(path), meanwhile()])
    const page = await expectJson<Page>(response)
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return seen
}

test.each([1, 7, 10, 30])(
  'pages of %i show each older order once, in order, while new ones arrive',
  async (limit) => {
    const owner = `walker-${limit}`
    const api = await as(owner)
    const older = await insertOrders(service.databaseUrl, owner, 30)
    const arriving: string[] = []
    const seen = await walk(api, `limit=${limit}`, async () => {
      arriving.push(...(await Promise.all([place(api), place(api), place(api)])))
    })
    expect(seen).toEqual([...seen].sort().reverse())
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.filter((id) => !arriving.includes(id))).toEqual(older.reverse())
  },
)

test('an order that leaves the filter on the way hides no other', async () => {
  const api = await as('filter')
  const older = await insertOrders(service.databaseUrl, 'filter', 9)
  const leaving = [...older]
  const seen = await walk(api, 'limit=2&status=placed', async () => {
    const id = leaving.pop() // the newest that is left: on the page being read, or one that was read
    await expectJson(await api(`/orders/${id}/cancel`, { method: 'POST' }))
  })
  const last = older.slice(0, 4).reverse()
  expect(seen.slice(-4)).toEqual(last)
  expect(new Set(seen).size).toBe(seen.length)
})

test('orders placed at once are listed newest first by the time in their ids', async () => {
  const api = await as('burst')
  const ids = await Promise.all(Array.from({ length: 25 }, () => place(api)))
  const { items } = await expectJson<Page>(await api('/orders?limit=100'))
  expect(items.map(({ id }) => id)).toEqual(ids.sort().reverse())
})
