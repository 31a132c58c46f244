import { vi } from 'vitest'
import { manualClock } from '#dev/cloud-tasks/clock.ts'
import { createEmulator } from '#dev/cloud-tasks/emulator.ts'
import { createApp } from '#src/app.ts'
import type { Transaction } from '#src/runtime/database/database.ts'
import { atEnd } from '#test/support/at-end.ts'
import { client } from '#test/support/client.ts'
import { onServer } from '#test/support/database.ts'
import { testService, withSeams } from '#test/support/service.ts'
import { emulated, testTasks } from '#test/support/task-variables.ts'
import { as } from '#test/support/tokens.ts'
import { trialFeature } from '../trial.ts'
import { cloudTasksInMemory, type HeldDelivery } from './cloud.ts'
import { currentFiber, interleave } from './interleave.ts'
import { concurrency, type ModelTask, type Run, type SentSignal } from './model.ts'
import { type ModelTasks, modelTasks, toldTo, type Witness } from './tasks.ts'

const url = 'http://127.0.0.1:1'
const setUp = `
  create table model_effects (task uuid not null, what text not null);
  create table model_clock (at timestamptz not null);
  insert into model_clock values ('2030-01-01T00:00:00Z');
  create or replace function runtime.service_now() returns timestamptz
    language sql stable parallel safe return (select at from model_clock)`
const leftOvers = ['tasks', 'steps', 'signals', 'batches', 'batch_counts', 'rates']
const reset = [...leftOvers.map((table) => `runtime.${table}`), 'model_effects']
  .map((table) => `delete from ${table}`)
  .join(';')
const blocked = 'select pid from unnest($1::int[]) as pid where cardinality(pg_blocking_pids(pid)) > 0'
/** More than the held fibers use at once: a fiber that waits for a connection would wait in vain. */
const pool = 24

export type World = Awaited<ReturnType<typeof createWorld>>

/** A service with the tasks of the model, whose statements, clock and Cloud Tasks are the test's. */
export async function createWorld() {
  const emulator = await createEmulator({ clock: manualClock() })
  atEnd(() => emulator.close())
  const cloud = cloudTasksInMemory()
  const known = new Map<string, ModelTask>()
  const batches: string[] = []
  const signals: SentSignal[] = []
  const runs: Run[] = []
  const violations: string[] = []
  let now = Date.UTC(2030, 0, 1)

  const witness: Witness = {
    async begin(id, attempt) {
      const fiber = currentFiber()
      const task = taskOf(id)
      if (!fiber || fiber.killed) return
      const { rows } = await onServer(
        databaseUrl,
        'select lease, leased_until, undoing, due_at from runtime.tasks where id = $1',
        [id],
      )
      const [{ lease, leased_until, undoing, due_at }] = rows
      if (due_at.getTime() > now) violations.push(`${task.kind} ${id} runs before it is due`)
      if (undoing) return
      if (!task.unsure && attempt !== task.next)
        violations.push(`${task.kind} ${id} has attempt ${attempt}, not ${task.next}`)
      task.next = attempt + 1
      const run = { task, fiber, over: false, lease, leasedUntil: leased_until?.getTime() ?? 0 }
      const beside = runs.filter(
        (other) => isRunning(other) && other.task.kind === task.kind && other.task.key === task.key,
      )
      runs.push(run)
      if (beside.length >= (concurrency[task.kind] ?? Number.POSITIVE_INFINITY))
        violations.push(`${beside.length + 1} tasks ${task.kind} of the key ${task.key} run at once`)
      try {
        await lanes.pause()
      } catch (error) {
        run.over = true
        throw error
      }
    },
    async work(id) {
      const task = taskOf(id)
      if (currentFiber()?.killed) return
      const end = task.ends.shift()
      if (!end) return
      task.losses += 1
      if (end === 'fatal') task.isFatal = true
      markOver()
      throw toldTo(end)
    },
    progress(id) {
      taskOf(id).next = 2
    },
    suspend(id) {
      const task = taskOf(id)
      task.before = task.next
      task.next = 1
    },
    resume(id) {
      const task = taskOf(id)
      task.next = task.waited ? task.before : 2
      task.waited = true
    },
    end(id) {
      if (!currentFiber()?.killed) taskOf(id).mayBeDone = true
      markOver()
    },
  }
  const tasks: ModelTasks = modelTasks(witness)
  const feature = trialFeature({ tasks: Object.values(tasks) as never })
  const service = await testService({
    features: [feature],
    cloudTasks: cloud.client,
    environment: { ...emulated(emulator, url), DATABASE_POOL: `${pool}`, LOG_LEVEL: 'warn' },
  })
  const { database, databaseUrl, config, log, lines } = service
  // not that of the kit, which remembers each request to the end of the file
  const app = createApp({
    config,
    database,
    log,
    ...withSeams({ features: [feature], cloudTasks: cloud.client }),
  })
  atEnd(() => app.close())
  const api = client(app)
  await onServer(databaseUrl, setUp)
  const lanes = interleave(database.$client, async (pids) =>
    (await onServer(databaseUrl, blocked, [pids])).rows.map(({ pid }) => pid),
  )
  // opened here, and one after another: a fiber is held at statements alone, and a machine may be slow
  const opened: { release(): void }[] = []
  for (let n = 0; n < pool; n++) opened.push(await database.$client.connect())
  for (const connection of opened) connection.release()
  // a deadline of the service would end what the test holds, sooner or later as the machine is slow or fast
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  atEnd(async () => {
    await lanes.abandon() // a held connection would not end
    vi.useRealTimers()
  })

  function taskOf(id: string): ModelTask {
    const task = known.get(id)
    if (!task) throw new Error(`Nobody has enqueued ${id}`)
    return task
  }
  function markOver(): void {
    const fiber = currentFiber()
    for (const run of runs) if (run.fiber === fiber) run.over = true
  }
  const isRunning = ({ over, fiber, leasedUntil, task }: Run) =>
    !over && !fiber.killed && !fiber.done && leasedUntil >= now && !task.mayBeCancelled

  const google = async () => ({
    Authorization: await emulator.oidc.bearer(url, testTasks.TASKS_INVOKER),
  })

  return {
    ...{ tasks, cloud, known, batches, signals, runs, violations, lanes, database, isRunning },
    now: () => now,
    /** Moves the clock. */
    async advance(seconds: number): Promise<void> {
      now += 1000 * seconds
      await onServer(databaseUrl, 'update model_clock set at = $1', [new Date(now)])
    },
    /** Does work in a transaction of a request. */
    async request(work: (tx: Transaction) => Promise<unknown>): Promise<boolean> {
      feature.next.work = work
      const response = await api('/work', { method: 'POST' })
      return response.status === 200
    },
    /** Calls back as Cloud Tasks does. Returns the status. */
    async callback({ task, name, dispatch }: HeldDelivery): Promise<number> {
      const headers = await google()
      const response = await api(`/runtime/callbacks/${name}`, { json: { id: task, dispatch }, headers })
      return response.status
    },
    tick: async () => api('/runtime/tick', { method: 'POST', headers: await google() }),
    redrive: async (id: string) =>
      api(`/runtime/tasks/${id}/redrive`, {
        method: 'POST',
        headers: await as('olga', ['runtime:admin']),
      }),
    query: async (statement: string) => (await onServer(databaseUrl, statement)).rows,
    /** Forgets all, for the next run. */
    async clear(): Promise<void> {
      await lanes.abandon()
      await onServer(databaseUrl, reset)
      cloud.clear()
      known.clear()
      for (const list of [batches, signals, runs, violations, lines]) list.length = 0
    },
  }
}
