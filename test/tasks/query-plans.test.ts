import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { cancelTasksOf, listBatches } from '#src/runtime/tasks/batches.ts'
import { markQueued } from '#src/runtime/tasks/delivery.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { forceCancelTask } from '#src/runtime/tasks/force-cancel.ts'
import { takeOfBatch } from '#src/runtime/tasks/hand-over.ts'
import { listTasks } from '#src/runtime/tasks/list-tasks.ts'
import * as sweeps from '#src/runtime/tasks/maintenance.ts'
import { withWork } from '#src/runtime/tasks/operated-batches.ts'
import * as operators from '#src/runtime/tasks/operators.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import * as counts from '#src/runtime/tasks/task-counts.ts'
import * as ledger from '#src/runtime/tasks/transitions.ts'
import { onServer } from '#test/support/database.ts'
import * as plans from '#test/support/plans.ts'
import { type Plan, statementsOf } from '#test/support/plans.ts'
import { testService } from '#test/support/service.ts'

// A ledger that was used for long: nearly all is done, some of each kind is not.

const { database, databaseUrl, log } = await testService({ features: [] })
const id = '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f'
const batchId = '8d2f7c1e-0f1b-4b0e-9d6a-2f6f1c3b5a71'
const dispatch = { id, name: 'trial.name-7', dispatch: 1 }
const work = defineTask({ name: 'trial.name-7', payload: z.object({}), async run() {} })

beforeAll(async () => {
  await onServer(
    databaseUrl,
    `insert into runtime.tasks (id, batch_id, name, key, state, payload, due_at, touched_at, leased_until, finished_at, announced_at)
      select gen_random_uuid(), md5('batch ' || n % 20)::uuid, 'trial.name-' || n % 20, 'key ' || n, state, '{}', at, at,
        case when state = 'running' then at end, case when state in ('done', 'dead', 'cancelled') then at end, case when state = 'dead' then at end
      from generate_series(1, 30000) as n,
        lateral (select now() - n * interval '10 s' as at,
          (array['pending', 'queued', 'running', 'dead', 'cancelled'])[1 + n % 5] as other) as x,
        lateral (select case when n % 50 < 5 then other else 'done' end as state) as y`,
  )
  await onServer(
    databaseUrl,
    'insert into runtime.tasks (id, name, payload, due_at) values ($1, $2, $3, now())',
    [id, dispatch.name, {}],
  )
  await onServer(
    databaseUrl,
    `insert into runtime.batches (id, name, size, open, created_at, finished_at)
      select gen_random_uuid(), 'trial.work', 10, 0, at, case when n > 1000 then at end
      from generate_series(1, 20000) as n, lateral (select now() - n * interval '10 s' as at) as x`,
  )
  await onServer(
    databaseUrl,
    'insert into runtime.batch_counts (batch_id, slot, open) select id, n, 0 from runtime.batches, generate_series(0, 3) as n',
  )
  await onServer(databaseUrl, 'analyze runtime.tasks, runtime.batches, runtime.batch_counts')
})

/** The plan of the query on tasks that `work` sends, by its nodes; its own changes are taken back. */
async function planOf(
  work: (tx: typeof database) => Promise<unknown>,
  which = /"runtime"\."tasks"/,
): Promise<Plan[]> {
  const sent = (await statementsOf(database, work)).find(({ text }) => which.test(text))
  return plans.planOf(databaseUrl, sent as plans.Sent)
}

/** The indexes by which a plan finds its rows; a table that is read as a whole is named as such. */
function accesses(plan: Plan[]): string[] {
  return plan.flatMap((node) => {
    if (node['Node Type'] === 'Seq Scan') return [`all of ${node['Relation Name']}`]
    return node['Index Name'] ?? []
  })
}

test.each([
  ['a claim', (tx) => ledger.claim(tx, dispatch), ['tasks_pkey']],
  ['a look', (tx) => ledger.findState(tx, id), ['tasks_pkey']],
  ['the mark of what is queued', (tx) => markQueued(tx, [dispatch]), ['tasks_pkey']],
  ['the sweep of what is pending', (tx) => sweeps.takeUndelivered(tx, 200), ['tasks_pkey', 'tasks_unsent']],
  ['the sweep of runaways', (tx) => sweeps.rescueTasks(tx, 200), ['tasks_pkey', 'tasks_running']],
  [
    'the sweep of what is overdue',
    (tx) => sweeps.takeOverdueDeliveries(tx, 200),
    ['tasks_pkey', 'tasks_queued'],
  ],
  ['the sweep of the dead', (tx) => sweeps.announceDeadTasks(tx, log, 200), ['tasks_unannounced']],
  ['pruning', (tx) => sweeps.pruneTasks(tx, 86_400_000, 1000), ['tasks_over', 'tasks_pkey']],
  [
    'the pending tasks of a batch',
    (tx) => takeOfBatch(tx, id, 10),
    ['batches_pkey', 'tasks_batch_unsent', 'tasks_open'],
  ],
  [
    'a cancel of a batch',
    (tx) => cancelTasksOf(tx as never, id, { started: false }),
    [...Array(5).fill('steps_task_id_name_pk'), 'tasks_batch', 'tasks_pkey'],
  ],
  ['the list of the dead', (tx) => listTasks(tx, { limit: 20, state: 'dead' }), ['tasks_open']],
  ['its next page', (tx) => listTasks(tx, { limit: 20, state: 'dead', cursor: id }), ['tasks_open']],
  [
    'the list of one name',
    (tx) => listTasks(tx, { limit: 20, name: work.name }),
    [...Array(5).fill('tasks_by_state'), 'tasks_done', 'tasks_pkey'],
  ],
  [
    'the list of the done',
    (tx) => listTasks(tx, { limit: 20, state: 'done', cursor: id }),
    [...Array(3).fill('tasks_done'), 'tasks_pkey'],
  ],
  [
    'the list of one name in one state',
    (tx) => listTasks(tx, { limit: 20, name: work.name, state: 'dead', cursor: id }),
    ['tasks_by_state', 'tasks_pkey'],
  ],
  [
    'the list of the tasks of a batch',
    (tx) => listTasks(tx, { limit: 20, batch: batchId, cursor: id }),
    [...Array(6).fill('tasks_batch'), 'tasks_pkey'],
  ],
  ['the list of all', (tx) => listTasks(tx, { limit: 20 }), ['tasks_pkey']],
  ['one task', (tx) => operators.findTask(tx, id), ['tasks_pkey']],
  ['a run now', (tx) => operators.runTaskNow(tx, id), ['steps_task_id_name_pk', 'tasks_pkey']],
  ['the counts of the states', counts.countStates, ['tasks_by_state', 'tasks_by_state', 'tasks_by_state']],
  ['the count of what is done in the last hour', counts.countLastHour, ['tasks_over']],
  [
    'a cancel',
    (tx) => forceCancelTask(tx, id, { log, caller: { subject: 'olga' } }),
    [...Array(5).fill('steps_task_id_name_pk'), 'tasks_pkey'],
    /^update "runtime"\."tasks"/,
  ],
] as [string, (tx: typeof database) => Promise<unknown>, string[], RegExp?][])(
  '%s is found by its index, however much is done',
  async (_what, work, expected, which) => {
    expect(accesses(await planOf(work, which)).toSorted()).toEqual(expected)
  },
)

test('a page of batches is found by its index, and the tasks that run by theirs', async () => {
  const page = { limit: 20 }
  expect(accesses(await planOf((tx) => listBatches(tx, page), /"runtime"\."batches"/))).toEqual([
    'batches_by_end',
    ...Array(3).fill('batch_counts_batch_id_slot_pk'),
  ])
  const found = await listBatches(database, page)
  expect(found).toHaveLength(20)
  const plan = accesses(await planOf((tx) => withWork(tx, found), /left join "runtime"\."tasks"/))
  // whichever has fewer entries
  expect(plan.map((index) => index.replace(/^tasks_running$/, 'tasks_batch')).toSorted()).toEqual([
    ...['batches_pkey', 'tasks_batch', 'tasks_pkey'],
  ])
})

test.each([
  ['open', 900],
  ['the last open', 1_000],
  ['ended', 10_000],
])('a page of batches after one that is %s reads none of the pages before it', async (_which, count) => {
  const all = await listBatches(database, { limit: count + 20 })
  const { id = '', finishedAt } = all[count - 1] ?? {}
  const page = { limit: 20, cursor: [finishedAt?.toISOString() ?? null, id] }
  const [statement] = await statementsOf(database, (tx) => listBatches(tx, page))
  expect(await plans.rowsRead(databaseUrl, statement as plans.Sent)).toBeLessThan(20 * (1 + 3 * 4) + 20)
  expect(await listBatches(database, page)).toEqual(all.slice(count))
})

test('a page of batches goes on from those that are open to the others', async () => {
  const all = await listBatches(database, { limit: 1_015 })
  const cursor = [null, all[994]?.id ?? '']
  expect(await listBatches(database, { limit: 20, cursor })).toEqual(all.slice(995))
})

test('the dead of the last hour are found by their index, however many are older', async () => {
  expect(accesses(await planOf(counts.countLastHour, /in \('dead'\)/))).toEqual(['tasks_dead'])
})

test('a redrive by name finds the dead by their index, and looks up their keys', async () => {
  const plan = accesses(await planOf((tx) => operators.redriveTasks(tx, work.name)))
  expect(plan).toContain('tasks_open')
  expect(plan.join()).not.toContain('all of')
})

test('a key is looked up among the unfinished', async () => {
  const key = 'key 50'
  await onServer(databaseUrl, "update runtime.tasks set state = 'queued', name = $1 where key = $2", [
    work.name,
    key,
  ])
  const plan = await planOf(
    (tx) => enqueue(tx as never, work, {}, { key }),
    /^select "id" from "runtime"\."tasks"/,
  )
  expect(accesses(plan)).toEqual(['tasks_key'])
})

test.each([
  ['what is pending', (tx) => sweeps.takeUndelivered(tx, 7)],
  ['runaways', (tx) => sweeps.rescueTasks(tx, 7)],
  ['what is over', (tx) => sweeps.pruneTasks(tx, 0, 7)],
  ['dead ones', (tx) => operators.redriveTasks(tx, work.name)],
] as [string, (tx: typeof database) => Promise<unknown>][])(
  'the rows of a batch, %s, are found once: no join reads them again',
  async (_what, work) => {
    const plan = await planOf(work)
    const limit = plan.find((node) => node['Node Type'] === 'Limit')
    expect(limit?.['Parent Relationship']).toBe('InitPlan')
  },
)
