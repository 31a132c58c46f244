import { expect, vi } from 'vitest'
import type { Task } from '#src/runtime/tasks/task.ts'
import { onServer } from './database.ts'
import { type TaskService, taskService } from './task-service.ts'

/** How a task comes about, and what others than the database learn of it. */
export interface Scenario {
  /** Brings about the state in which the task runs, and enqueues it. */
  arrange(service: TaskService): Promise<unknown>
  /** What others saw, such as the calls that a warehouse got, without what may differ between two runs. */
  observe?(service: TaskService): unknown
  /** As `taskService` takes them. */
  options?: Parameters<typeof taskService>[0]
}

/**
 * Expects that a second attempt harms nothing: runs the task once on one database; on another one, runs it, drops
 * its commit as a lost lease would, and runs it again; then compares the two.
 */
export async function runTwice(task: Task, scenario: Scenario): Promise<void> {
  const once = await outcome(task, scenario, false)
  const twice = await outcome(task, scenario, true)
  expect(twice).toEqual(once)
}

async function outcome(task: Task, scenario: Scenario, twice: boolean): Promise<unknown> {
  const service = await taskService(scenario.options)
  await scenario.arrange(service)
  const { run } = task
  const runs = vi.spyOn(task, 'run')
  if (twice) {
    runs.mockImplementationOnce(async (attempt) => {
      const effect = await run(attempt)
      const steal =
        'update runtime.tasks set lease = gen_random_uuid(), leased_until = runtime.service_now() where id = $1'
      await onServer(service.databaseUrl, steal, [attempt.idempotencyKey])
      return effect ?? undefined
    })
  }
  await service.drain({ until: '1m' })
  await service.advance('1m') // the lease of the first attempt ends, and the tick takes the task back
  await service.tick()
  await service.drain({ until: '1m' })
  expect(runs.mock.calls.length, `how often ${task.name} ran`).toBe(twice ? 2 : 1)
  runs.mockRestore()
  return { database: await snapshot(service.databaseUrl), others: await scenario.observe?.(service) }
}

/** All rows of all tables, without times; ids are numbered as they appear, since they differ from run to run. */
async function snapshot(url: string): Promise<unknown> {
  const { rows: tables } = await onServer(
    url,
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema', 'drizzle', 'runtime') order by 1`,
  )
  const all: Record<string, unknown[]> = {}
  for (const { name } of tables) all[name] = (await onServer(url, `select * from ${name} order by 1`)).rows
  const ledger = 'select name, state, payload, key from runtime.tasks order by name, id'
  all['runtime.tasks'] = (await onServer(url, ledger)).rows
  all['runtime.schedules'] = (await onServer(url, 'select * from runtime.schedules order by 1')).rows
  const ids = new Map<string, string>()
  const text = JSON.stringify(all, (_key, value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? 'a time' : value,
  )
  const numbered = text.replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, (id) => {
    if (!ids.has(id)) ids.set(id, `id ${ids.size}`)
    return ids.get(id) as string
  })
  return JSON.parse(numbered)
}
