import { expect, test } from 'vitest'
import { importOrders } from '#src/orders/imports/tasks.ts'
import { onServer, type TaskService, taskService } from '#test/kit'
import { fileOf, importer, itemsOf } from './imports.ts'

// An import places each order once, wherever it is cut off.

/** Lets each write of such a line fail. @returns what ends that */
async function breakLines({ databaseUrl }: TaskService, event: 'insert' | 'update', condition: string) {
  await onServer(
    databaseUrl,
    `create function fail() returns trigger language plpgsql as $$ begin raise 'The disk is full'; end $$;
      create trigger fail before ${event} on order_import_lines for each row when (${condition}) execute function fail()`,
  )
  return () => onServer(databaseUrl, 'drop trigger fail on order_import_lines')
}

test.each([
  ['before the end of its reading is stored', { during: 'read' }],
  ['behind its reading', { after: 'read' }],
  ['before its batch is committed', { during: 'place' }],
  ['behind its batch', { after: 'place' }],
])('an import that is killed %s', async (_where, at) => {
  const service = await taskService()
  const alice = await importer(service)
  service.interrupt(importOrders, at)
  const begun = await alice.begin(fileOf(5))
  await service.drain({ until: '10m' })
  await service.expectSteps(importOrders, ['read', 'place'])
  expect(await alice.show(begun)).toMatchObject({ state: 'done', rows: 5, placed: 5, refused: 0 })
  expect(await alice.items()).toEqual(itemsOf(5))
})

test('one that fails between two pieces goes on behind the last piece', async () => {
  const service = await taskService()
  const alice = await importer(service)
  const mend = await breakLines(service, 'insert', 'new.line = 700')
  const rows = Array.from({ length: 1100 }, (_, row) => (row % 100 === 0 ? `Cup ${row},1` : 'None,0'))
  const begun = await alice.begin(`item,quantity\n${rows.join('\n')}`)
  await service.drain()
  expect(await alice.show(begun)).toMatchObject({ state: 'reading', rows: 500, placed: 0 })
  await mend()
  await service.drain({ until: '1h' })
  expect(await alice.show(begun)).toMatchObject({ state: 'done', rows: 1100, placed: 11, refused: 1089 })
  expect(new Set(await alice.items()).size).toBe(11)
  expect(await alice.items()).toHaveLength(11)
})

test('deliveries that come twice place no order twice', async () => {
  const service = await taskService()
  const alice = await importer(service)
  service.emulator.faults.set({ duplicate: 1 })
  const begun = await alice.begin(fileOf(4))
  await service.drain({ until: '10m' })
  expect(await alice.show(begun)).toMatchObject({ state: 'done', placed: 4 })
  expect(await alice.items()).toEqual(itemsOf(4))
})

test('a row whose task has died is refused in the report, and is an order after a redrive', async () => {
  const service = await taskService()
  const alice = await importer(service)
  const mend = await breakLines(service, 'update', 'new.line = 3 and new.order_id is not null')
  const begun = await alice.begin(fileOf(3))
  await service.drain({ until: '6h' })
  await mend()
  expect(await alice.show(begun)).toMatchObject({
    ...{ state: 'done', placed: 2, refused: 1 },
    errors: [{ line: 3, detail: 'The order was not placed' }],
  })
  const operator = await service.as('olga', ['runtime:admin'])
  await operator('/runtime/tasks/redrive?name=orders.import-line', { method: 'POST' })
  await service.drain({ until: '1m' })
  expect(await alice.show(begun)).toMatchObject({ placed: 3, refused: 0, errors: [] })
})
