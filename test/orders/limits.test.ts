import { expect, test } from 'vitest'
import { makeDatabase, onServer } from '#test/kit'

test('the service’s own limits hold in the database too', async () => {
  const url = await makeDatabase()
  const insert = (quantity: number, status: string) =>
    onServer(
      url,
      'insert into orders (id, owner, item, quantity, status) values (gen_random_uuid(), $1, $2, $3, $4)',
      ['alice', 'Teapot', quantity, status],
    )
  await insert(1, 'placed')
  await insert(1000, 'cancelled')
  await expect(insert(0, 'placed')).rejects.toThrow('orders_quantity')
  await expect(insert(1001, 'placed')).rejects.toThrow('orders_quantity')
  await expect(insert(1, 'open')).rejects.toThrow('orders_status')
})
