import { expect, test } from 'vitest'
import { cancelStale } from '#src/orders/tasks.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { onServer } from '#test/support/database.ts'
import { taskService } from '#test/support/task-service.ts'

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

test('an order that is 30 days old is cancelled, a younger one is not, nor one that is still being sent', async () => {
  await query('delete from orders')
  await query('delete from runtime.tasks')
  await query(
    `with task as (
      insert into runtime.tasks (id, name, state, payload, due_at, started_at)
        values (gen_random_uuid(), 'orders.fulfil', 'pending', '{}', now() + interval '20 d', now()) returning id)
      insert into orders (id, owner, item, quantity, created_at, task_id)
        select gen_random_uuid(), 'bob', item, 1, runtime.service_now() - age, case when item = 'tried' then task.id end
        from task, (values ('old', interval '30 d 1 s'), ('young', interval '29 d 23 h'), ('tried', interval '40 d'))
          as orders (item, age)`,
  )
  await run()
  expect(await query('select item, status from orders order by 1')).toEqual([
    { item: 'old', status: 'cancelled' },
    { item: 'tried', status: 'placed' },
    { item: 'young', status: 'placed' },
  ])
})
