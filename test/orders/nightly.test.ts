import { expect, test } from 'vitest'
import { enqueue } from '#runtime'
import { cancelStale } from '#src/orders/tasks.ts'
import { onServer, taskService } from '#test/kit'

const service = await taskService()
const { databaseUrl, drain, ledger } = service
const query = async (statement: string) => (await onServer(databaseUrl, statement)).rows
const run = async () => {
  await service.database.transaction((tx) => enqueue(tx, cancelStale, {}))
  await drain({ until: '1m' })
}

test('more than a batch of stale orders is cancelled by one task after another', async () => {
  await query(
    `insert into orders (id, owner, item, quantity, created_at)
      select gen_random_uuid(), 'bob', 'Cup', 1, runtime.service_now() - interval '31 d' from generate_series(1, 1200)`,
  )
  await run()
  expect(await query('select status, version, count(*)::int from orders group by 1, 2')).toEqual([
    { status: 'cancelled', version: 2, count: 1200 },
  ])
  expect((await ledger()).map(({ state }) => state)).toEqual(['done', 'done', 'done'])
})

test('an order that is 30 days old is cancelled, a younger one is not, nor one that may be on its way', async () => {
  await query('delete from orders')
  await query('delete from runtime.tasks')
  await query(
    `with task as (
      insert into runtime.tasks (id, name, state, payload, due_at, started_at)
        values (gen_random_uuid(), 'orders.fulfil', 'pending', '{}', now() + interval '20 d', now()),
          (gen_random_uuid(), 'orders.fulfil', 'dead', '{}', now(), now()),
          (gen_random_uuid(), 'orders.fulfil', 'queued', '{}', now() + interval '20 d', null) returning id, state)
      insert into orders (id, owner, item, quantity, created_at, task_id)
        select gen_random_uuid(), 'bob', item, 1, runtime.service_now() - age, task.id
        from (values ('old', interval '30 d 1 s', null), ('young', interval '29 d 23 h', null),
          ('tried', interval '40 d', 'pending'), ('dead', interval '50 d', 'dead'), ('waiting', interval '40 d', 'queued'))
          as orders (item, age, has) left join task on task.state = orders.has`,
  )
  await run()
  expect(await query('select item, status from orders order by 1')).toEqual([
    { item: 'dead', status: 'placed' },
    { item: 'old', status: 'cancelled' },
    { item: 'tried', status: 'placed' },
    { item: 'waiting', status: 'cancelled' },
    { item: 'young', status: 'placed' },
  ])
})

test('a batch of them that may be on their way does not keep the younger ones from it', async () => {
  await query('delete from orders')
  await query('delete from runtime.tasks')
  await query(
    `with task as (
      insert into runtime.tasks (id, name, state, payload, due_at, started_at)
        values (gen_random_uuid(), 'orders.fulfil', 'dead', '{}', now(), now()) returning id)
      insert into orders (id, owner, item, quantity, created_at, task_id)
        select gen_random_uuid(), 'bob', 'Cup', 1, runtime.service_now() - interval '40 d', task.id
        from task, generate_series(1, 500)`,
  )
  await query(
    `insert into orders (id, owner, item, quantity, created_at)
      values (gen_random_uuid(), 'bob', 'Pot', 1, runtime.service_now() - interval '31 d')`,
  )
  await run()
  expect(await query('select item, status, count(*)::int from orders group by 1, 2 order by 1')).toEqual([
    { item: 'Cup', status: 'placed', count: 500 },
    { item: 'Pot', status: 'cancelled', count: 1 },
  ])
})
