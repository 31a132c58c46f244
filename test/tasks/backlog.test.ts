import { beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { CloudTasks } from '#src/runtime/tasks/cloud-tasks.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { type Trial, trial } from './trial.ts'

const work = defineTask({ name: 'trial.work', payload: z.object({}), async run() {} })
const created = new Map<string, number>()
let create: CloudTasks['create']
let has: CloudTasks['has']
const cloudTasks: CloudTasks = {
  async create(task, signal) {
    created.set(task.id, (created.get(task.id) ?? 0) + 1)
    await create(task, signal)
  },
  has: (id, signal) => has(id, signal),
}
const service = await trial({ tasks: [work], cloudTasks })
const { query, tick, lines } = service
const hanging = () => new Promise<never>(() => {})

/** Makes this many tasks that nobody has handed over, or that someone did long ago. */
async function insert(count: number, state = 'pending', { query }: Trial = service): Promise<void> {
  await query(
    `insert into runtime.tasks (id, name, state, payload, due_at, touched_at)
      select gen_random_uuid(), 'trial.work', $1, '{}', runtime.service_now() - interval '1 h', runtime.service_now() - interval '1 h'
      from generate_series(1, $2::int)`,
    [state, count],
  )
}

const count = async (state: string, { query }: Trial = service) =>
  (await query('select count(*)::int as count from runtime.tasks where state = $1', [state]))[0]?.count

beforeEach(async () => {
  await service.clear()
  created.clear()
  create = async () => {}
  has = async () => true
})

test('two ticks at once send each task once', async () => {
  await insert(900)
  expect(await Promise.all([tick(), tick(), tick()])).toEqual([200, 200, 200])
  expect(await count('queued')).toBe(900)
  expect(created.size).toBe(900)
  expect(new Set(created.values())).toEqual(new Set([1]))
})

test('while Cloud Tasks is down, all is accepted; once it is back, the backlog drains in a tick or two', async () => {
  create = () => Promise.reject(new Error('UNAVAILABLE'))
  await Promise.all(Array.from({ length: 30 }, () => service.request((tx) => enqueue(tx, work, {}))))
  await insert(1470)
  await service.advance('1m')
  for (let minute = 0; minute < 3; minute++) {
    expect(await tick()).toBe(200)
    await service.advance('1m')
  }
  expect(await count('pending')).toBe(1500)
  create = async () => {}
  await tick()
  expect(await count('queued')).toBe(1500)
})

test('a tick whose time is over ends with the batch that it is at', async () => {
  await insert(2500, 'done')
  await query("update runtime.tasks set finished_at = runtime.service_now() - interval '100 d'")
  const now = performance.now.bind(performance)
  let minutes = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000 * minutes++)
  expect(await tick()).toBe(200)
  vi.restoreAllMocks()
  expect(await count('done')).toBe(1500)
})

test('a tick that cannot send tries one batch, not all', async () => {
  await insert(1000)
  create = () => Promise.reject(new Error('UNAVAILABLE'))
  await tick()
  expect(created.size).toBe(200)
})

test('where Cloud Tasks cannot be asked, nothing is taken for lost, and the tick goes on', async () => {
  await insert(3, 'queued')
  await insert(1)
  has = () => Promise.reject(new Error('UNAVAILABLE'))
  expect(await tick()).toBe(200)
  expect([await count('queued'), await count('pending')]).toEqual([4, 0])
  expect(await query('select distinct dispatch from runtime.tasks')).toEqual([{ dispatch: 1 }])
  expect(lines).toContainEqual(
    expect.objectContaining({
      severity: 'WARNING',
      message: 'Cloud Tasks could not be asked about an overdue task; a later tick will ask',
    }),
  )
})

test('an overdue task is asked after once in ten minutes, by one of two ticks at once', async () => {
  await insert(3, 'queued')
  let asked = 0
  has = async () => Boolean(++asked)
  await Promise.all([tick(), tick(), tick()])
  expect(asked).toBe(3)
  await service.advance('10m')
  await tick()
  expect(asked).toBe(3)
  await service.advance('1s')
  await tick()
  expect(asked).toBe(6)
})

test('a task that is called back while Cloud Tasks is asked about it is not taken for lost', async () => {
  await insert(1, 'queued')
  has = async () => {
    await query(
      "update runtime.tasks set state = 'running', lease = gen_random_uuid(), leased_until = runtime.service_now() + '30 s'",
    )
    return false
  }
  await tick()
  expect(await query('select state, dispatch from runtime.tasks')).toEqual([
    { state: 'running', dispatch: 1 },
  ])
})

test.each([
  ['CreateTask hangs', 'pending', () => (create = hanging)],
  ['GetTask hangs', 'queued', () => (has = hanging)],
])('a tick ends before its request must, also where %s', async (_what, state, break_) => {
  const brief = await trial({ tasks: [work], cloudTasks, environment: { REQUEST_TIMEOUT: '1' } })
  await insert(60, state, brief)
  break_()
  expect(await brief.tick()).toBe(200)
  expect(await count(state, brief)).toBe(60)
})
