import { afterEach, expect, test } from 'vitest'
import { start as startStandIn } from '#dev/orders/stand-in.ts'
import { createWarehouse } from '#dev/orders/warehouse.ts'

const started: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const warehouse of started.splice(0)) await warehouse.close()
})

async function start() {
  const warehouse = await createWarehouse()
  started.push(warehouse)
  async function ship(
    key: string | undefined,
    body: unknown = { orderId: 'o1', item: 'Teapot', quantity: 2 },
  ) {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' }
    if (key) headers['Idempotency-Key'] = key
    const request = { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await fetch(`${warehouse.url}/shipments`, request)
    return { status: response.status, body: (await response.json()) as { id?: string } }
  }
  return { ...warehouse, ship }
}

test('the same key gets the same shipment, another key another', async () => {
  const { ship, url } = await start()
  const first = await ship('a')
  expect(first).toEqual({ status: 201, body: { id: expect.stringMatching(/^[\w-]{36}$/) } })
  expect(await ship('a')).toEqual(first)
  const other = await ship('b')
  expect(other.body.id).not.toBe(first.body.id)
  const order = { orderId: 'o1', item: 'Teapot', quantity: 2 }
  expect(await (await fetch(`${url}/shipments`)).json()).toEqual([
    { key: 'a', id: first.body.id, calls: 2, ...order },
    { key: 'b', id: other.body.id, calls: 1, ...order },
  ])
})

test('a key is required, and stands for one body', async () => {
  const { ship, shipments } = await start()
  expect((await ship(undefined)).status).toBe(400)
  expect((await ship('a', { orderId: 'o1', item: 'Teapot', quantity: 0 })).status).toBe(400)
  expect((await ship('a')).status).toBe(201)
  expect((await ship('a', { orderId: 'o1', item: 'Teapot', quantity: 3 })).status).toBe(422)
  expect(shipments()).toMatchObject([{ quantity: 2, calls: 1 }])
})

test('npm run dev starts it, and says where it is', async () => {
  const { environment, facts, stop } = await startStandIn({})
  expect(await (await fetch(`${environment.WAREHOUSE_URL}/shipments`)).json()).toEqual([])
  expect(facts).toEqual([['Warehouse', `${environment.WAREHOUSE_URL}/shipments`]])
  await stop()
})

test('a warehouse that is set is taken as it is', async () => {
  const { environment, facts } = await startStandIn({ WAREHOUSE_URL: 'http://warehouse' })
  expect({ environment, facts }).toEqual({ environment: {}, facts: [] })
})
