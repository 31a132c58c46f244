import { afterEach, expect, test } from 'vitest'
import { untracked } from '#dev/guard/track.ts'
import type { CloudTasks } from '#src/runtime/tasks/cloud-tasks.ts'
import { markQueued } from '#src/runtime/tasks/delivery.ts'
import { requeueLost } from '#src/runtime/tasks/maintenance.ts'
import { onServer } from '#test/support/database.ts'
import { rowsRead, type Sent, statementsOf } from '#test/support/plans.ts'
import { type Direction, stepsFeature } from '#test/support/steps.ts'
import { taskService } from '#test/support/task-service.ts'
import { testTasks } from '#test/support/task-variables.ts'

// What is noted of a task that was handed over, by when others may have done more with it.

let create: CloudTasks['create']
let direct: () => Promise<Direction>
const { feature } = stepsFeature(() => direct())
const service = await taskService({
  features: [feature],
  cloudTasks: { create: (task, signal) => create(task, signal), has: async () => true },
})
const { databaseUrl, emulator, url } = service
const alice = await service.as('alice')
const token = await emulator.oidc.sign({ aud: url, email: testTasks.TASKS_INVOKER })

afterEach(() => onServer(databaseUrl, 'truncate runtime.tasks, runtime.steps, runtime.signals, test_notes'))

const take: CloudTasks['create'] = async () => {}
const refuse: CloudTasks['create'] = async () => {
  throw new Error('Cloud Tasks is not there')
}

/** Takes a delivery and makes it before CreateTask responds. Resolves with what the service made of it. */
async function deliver({ url, body }: { url: string; body: string }): Promise<unknown> {
  create = refuse // of whatever the callback hands over in its turn
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const response = await untracked(() => fetch(url, { method: 'POST', headers, body }))
  return response.json()
}

async function enqueue(): Promise<void> {
  expect((await alice('/steps', { json: { text: 'Tea' } })).status).toBe(201)
}

async function left(): Promise<string[]> {
  return (await service.ledger()).map((row) => `${row.state} ${row.dispatch}/${row.attempts}`)
}

test('a task that was done before CreateTask answered stays done', async () => {
  direct = async () => 'write'
  create = async (task) => expect(await deliver(task)).toEqual({ outcome: 'done' })
  await enqueue()
  expect(await left()).toEqual(['done 1/1'])
})

test('a task that failed before CreateTask answered stays pending at its next dispatch, for the tick', async () => {
  direct = async () => 'fail'
  create = async (task) => expect(await deliver(task)).toEqual({ outcome: 'retrying' })
  await enqueue()
  expect(await left()).toEqual(['pending 2/1'])
})

test('only what was handed over is noted as such', async () => {
  create = refuse
  await enqueue()
  create = take
  await enqueue()
  expect(await left()).toEqual(['pending 1/0', 'queued 1/0'])
})

test('a CreateTask that fails after it created costs nothing: the delivery runs the task that is pending', async () => {
  direct = async () => 'write'
  const deliveries: { url: string; body: string }[] = []
  create = async (task) => {
    deliveries.push(task)
    throw new Error('No answer')
  }
  await enqueue()
  expect(await left()).toEqual(['pending 1/0'])
  for (const delivery of deliveries) expect(await deliver(delivery)).toEqual({ outcome: 'done' })
  expect(await left()).toEqual(['done 1/1'])
})

test('a delivery that is lost is not requeued where its task has a later dispatch by now', async () => {
  create = take
  direct = async () => 'write'
  await alice('/steps', { json: { text: 'Tea' } })
  await onServer(databaseUrl, 'update runtime.tasks set dispatch = dispatch + 1')
  const [row] = await service.ledger()
  const lost = { id: row?.id ?? '', name: 'steps.step', dispatch: 1 }
  expect(await requeueLost(service.database, lost)).toBe(0)
  expect(await service.ledger()).toMatchObject([{ state: 'queued', dispatch: 2 }])
  expect(await requeueLost(service.database, { ...lost, dispatch: 2 })).toBe(1)
})

test('the mark reads no other tasks, however many are pending that PostgreSQL has not counted yet', async () => {
  const fill = (state: string) =>
    onServer(
      databaseUrl,
      `insert into runtime.tasks (id, name, state, payload, due_at)
        select gen_random_uuid(), 'steps.step', '${state}', '{}', now() from generate_series(1, 3000)`,
    )
  await fill('done')
  await onServer(databaseUrl, 'analyze runtime.tasks')
  await fill('pending')
  const { rows } = await onServer(
    databaseUrl,
    "select id from runtime.tasks where state = 'pending' limit 20",
  )
  const sent = rows.map(({ id }) => ({ id, dispatch: 1 }))
  const [statement] = await statementsOf(service.database, (tx) => markQueued(tx, sent))
  expect(await rowsRead(databaseUrl, statement as Sent)).toBeLessThan(3 * sent.length)
})
