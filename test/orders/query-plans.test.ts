import pg from 'pg'
import { beforeAll, expect, test, vi } from 'vitest'
import { encodeCursor } from '#runtime'
import { expectJson, onServer, testService } from '#test/kit'
import { firstTime, idAt, insertOrders } from './orders.ts'

interface Plan {
  'Node Type': string
  'Index Name'?: string
  'Index Cond'?: string
  Plans?: Plan[]
}

const service = await testService()
const { databaseUrl, database } = service
const alice = await service.as('alice', ['orders:read', 'orders:write'])
let [id = ''] = ['']

beforeAll(async () => {
  await onServer(
    databaseUrl,
    // of the same days as alice's: else nearly all before a cursor would be hers, and the primary key as good an index
    `insert into orders (id, owner, item, quantity)
      select concat(left(hex, 8), '-', right(hex, 4), '-7', substr(gen_random_uuid()::text, 16))::uuid, 'owner ' || n % 500, 'Teapot', 1
      from generate_series(1, 20000) as n, lateral (select lpad(to_hex(${firstTime} + n * 15000::bigint), 12, '0') as hex) as x`,
  )
  id = (await insertOrders(databaseUrl, 'alice', 5000))[2500] ?? ''
  await insertOrders(databaseUrl, 'alice', 20, 'cancelled')
  await onServer(databaseUrl, 'analyze orders')
})

/** The plan of the last query that this request sends, by its nodes. */
async function planOf(request: () => Promise<Response>): Promise<Plan[]> {
  const query = vi.spyOn(database.$client, 'query')
  await expectJson(await request())
  return explain(query.mock.calls.at(-1))
}

async function explain(call: unknown): Promise<Plan[]> {
  const [{ text }, values] = call as [{ text: string }, unknown[]]
  const { rows } = await onServer(databaseUrl, `explain (format json) ${text}`, values)
  return nodes(rows[0]['QUERY PLAN'][0].Plan)
}

function nodes(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodes)]
}

const types = (plan: Plan[]) => plan.map((node) => node['Node Type'])

test.each([
  ['the first page', ''],
  ['a page of 100', '?limit=100'],
  ['a page further on', `?cursor=${encodeCursor(idAt(firstTime + 2500 * 60_000))}`],
  ['a page of the status that nearly all have', '?status=placed'],
  ['a page of a rare status', '?status=cancelled', 'orders_owner_status'],
])('%s is read off an index in its order, unsorted', async (_what, query, index = 'orders_owner_') => {
  const plan = await planOf(() => alice(`/orders${query}`))
  expect(types(plan)).toEqual(['Limit', 'Index Scan'])
  expect(plan[1]?.['Index Name']).toContain(index)
})

test('one order is read by its id', async () => {
  const plan = await planOf(() => alice(`/orders/${id}`))
  expect(types(plan)).toEqual(['Index Scan'])
  expect(plan[0]?.['Index Cond']).toContain('(id = ')
})

test('one order is cancelled by its id', async () => {
  const query = vi.spyOn(pg.Client.prototype, 'query')
  await expectJson(await alice(`/orders/${id}/cancel`, { method: 'POST' }))
  const updates = query.mock.calls.filter(([call]) =>
    /^update "orders"/.test((call as { text?: string }).text ?? ''),
  )
  query.mockRestore()
  expect(updates).toHaveLength(1)
  const plan = await explain(updates[0])
  expect(types(plan)).toEqual(['ModifyTable', 'Index Scan'])
  expect(plan[1]?.['Index Cond']).toContain('(id = ')
})
