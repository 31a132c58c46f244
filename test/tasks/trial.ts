import type { Transaction } from '#src/runtime/database/database.ts'
import { defineFeature, type Feature } from '#src/runtime/feature.ts'
import type { Reporter } from '#src/runtime/kernel/reporter.ts'
import { handlePlain } from '#src/runtime/routes/route.ts'
import type { CloudTasks } from '#src/runtime/tasks/cloud-tasks.ts'
import type { Schedule } from '#src/runtime/tasks/schedule.ts'
import type { Task } from '#src/runtime/tasks/task.ts'
import { onServer } from '#test/support/database.ts'
import { bearer } from '#test/support/forge.ts'
import { type TaskService, taskService } from '#test/support/task-service.ts'
import { testTasks } from '#test/support/task-variables.ts'

type Work = (tx: Transaction) => Promise<unknown>

/** A service whose one feature has the tasks of a test. */
export interface Trial extends TaskService {
  /** Does work in a transaction of a request, with these headers. Returns what it returned. */
  request<W extends Work>(work: W, headers?: Record<string, string>): Promise<Awaited<ReturnType<W>>>
  /** Calls back as Cloud Tasks does, with the true token unless other headers are given. */
  callback(
    task: { name: string; id: string; dispatch: number },
    headers?: Record<string, string>,
  ): Promise<Response>
  /** Runs a statement on its database. */
  query(statement: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** Forgets all tasks and log lines, for the next test. */
  clear(): Promise<void>
}

/** A feature of these tasks and schedules, with a route that does what `next` holds. */
export function trialFeature(options: {
  tasks: readonly Task[]
  schedules?: readonly Schedule[]
}): Feature & { next: { work: Work; result?: unknown } } {
  const next: { work: Work; result?: unknown } = { work: async () => {} }
  const feature = defineFeature({
    ...options,
    name: 'trial',
    description: 'Tasks of a test.',
    routes: ({ database }) => [
      handlePlain({ method: 'post', path: '/work', security: 'optional' }, async (c) => {
        next.result = await database.transaction(next.work)
        return c.text('done')
      }),
    ],
  })
  return Object.assign(feature, { next })
}

/** Makes such a service. */
export async function trial(
  options: Parameters<typeof trialFeature>[0] & {
    environment?: Record<string, string>
    reporter?: Reporter
    databaseUrl?: string
    stopping?: AbortSignal
    cloudTasks?: CloudTasks
  },
): Promise<Trial> {
  const { tasks, schedules = [], ...rest } = options
  const feature = trialFeature({ tasks, schedules })
  const service = await taskService({ ...rest, features: [feature] })
  const { url, emulator, lines } = service
  const query: Trial['query'] = async (statement, values) =>
    (await onServer(service.databaseUrl, statement, values)).rows
  return {
    ...service,
    query,
    async request(work, headers = {}) {
      feature.next.work = work
      const response = await service.api('/work', { method: 'POST', headers })
      if (response.status !== 200) throw new Error(await response.text())
      await response.text()
      return feature.next.result as never
    },
    async callback({ name, id, dispatch }, headers) {
      const token = await emulator.oidc.sign({ aud: url, email: testTasks.TASKS_INVOKER })
      return service.api(`/runtime/callbacks/${name}`, {
        json: { id, dispatch },
        headers: headers ?? bearer(token),
      })
    },
    async clear() {
      await fetch(`${emulator.url}/v2/${testTasks.TASKS_QUEUE}:purge`, { method: 'POST' })
      await query(
        'truncate runtime.tasks, runtime.steps, runtime.signals, runtime.batches, runtime.batch_counts, runtime.rates, runtime.positions',
      )
      lines.length = 0
    },
  }
}
