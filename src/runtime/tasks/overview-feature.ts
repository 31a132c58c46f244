import type { z } from 'zod'
import type { Database } from '../database/database.ts'
import { afterCommit } from '../database/transaction.ts'
import { Problem, problems } from '../kernel/problem.ts'
import { handle } from '../routes/route.ts'
import { defineRouteGroup, type RouteGroup } from '../routes/route-group.ts'
import { enqueue } from './enqueue.ts'
import { logAction } from './log-action.ts'
import { findTask, runTaskNow } from './operators.ts'
import { addToOutbox } from './outbox.ts'
import * as routes from './overview-routes.ts'
import { presentTask } from './present-task.ts'
import type { Schedule } from './schedule.ts'
import { listSchedules } from './schedule-slots.ts'
import { sendSignal } from './send-signal.ts'
import type { Signals } from './step-types.ts'
import { signalSchema, type Task } from './task.ts'
import { countLastHour, countStates, nothing } from './task-counts.ts'
import type { TraceLinks } from './trace-links.ts'

/** What this revision declares, and where the lines of a trace are. */
export interface OverviewOptions {
  readonly registry: ReadonlyMap<string, Task>
  readonly schedules: readonly Schedule[]
  readonly links: TraceLinks
}

/** The routes that the dashboard needs, in addition to those for operators: the overview, and what runs now. */
export function overviewFeature(options: OverviewOptions): RouteGroup {
  return defineRouteGroup({
    name: 'runtime.overview',
    description: 'The background work at a glance, for the dashboard.',
    internal: true,
    problems: { ...routes.scheduleProblems, ...routes.signalProblems },
    routes: ({ database }) => [
      handle(routes.overviewRoute, async (c) => c.json(await readOverview(database, options), 200)),

      handle(routes.runTaskNowRoute, async (c) => {
        const { id } = c.req.valid('param')
        const delivery = await runTaskNow(database, id)
        addToOutbox(delivery)
        logAction(c.var, 'run now', `${delivery.name}: task ${id}`, { task: { id, name: delivery.name } })
        return c.json(presentTask(await findTask(database, id)), 200)
      }),

      handle(routes.runScheduleRoute, async (c) => {
        const { tx } = c.var
        const { name } = c.req.valid('param')
        const schedule = options.schedules.find((declared) => declared.name === name)
        if (!schedule) throw new Problem(routes.scheduleProblems.RUNTIME_SCHEDULE_NOT_FOUND)
        const { task, payload } = schedule
        const { id } = await enqueue(tx, task, payload)
        const fields = { schedule: name, task: { id, name: task.name } }
        afterCommit(tx, () => logAction(c.var, 'run now', `the schedule ${name}: task ${id}`, fields))
        return c.json(presentTask(await findTask(tx, id)), 200)
      }),

      handle(routes.sendSignalRoute, async (c) => {
        const { tx } = c.var
        const { task: name, name: signal, key, payload } = c.req.valid('json')
        const task = options.registry.get(name) as Task<z.ZodType, Signals> | undefined
        const schema = task && signalSchema(task, signal)
        if (!task || !schema) throw new Problem(routes.signalProblems.RUNTIME_SIGNAL_NOT_FOUND)
        const wrong = schema.safeParse(payload).error?.issues[0]
        if (wrong) {
          const detail = `${['payload', ...wrong.path].join('.')}: ${wrong.message}`
          throw new Problem(problems.VALIDATION_FAILED, { detail })
        }
        const sent = await sendSignal(tx, task, signal, { key }, payload)
        const fields = { task: { name }, signal: { name: signal, key } }
        afterCommit(tx, () => logAction(c.var, 'signal', `${signal} (${key}) to ${name}`, fields))
        return c.json(sent, 200)
      }),
    ],
  })
}

async function readOverview(database: Database, { registry, schedules, links }: OverviewOptions) {
  const [states, lastHour, known] = await Promise.all([
    countStates(database),
    countLastHour(database),
    listSchedules(database, schedules),
  ])
  const names = new Set([...registry.keys(), ...states.map(({ name }) => name), ...lastHour.byName.keys()])
  const tasks = [...names].sort().map((name) => {
    const task = registry.get(name)
    return {
      ...{ name, known: task !== undefined },
      ...(task && { maxAttempts: task.retry.attempts }),
      states: states
        .filter((count) => count.name === name)
        .map(({ state, count, more, oldestDueAt }) => ({
          ...{ state, count, more },
          oldestDueAt: oldestDueAt.toISOString(),
        })),
      lastHour: lastHour.byName.get(name) ?? nothing(),
    }
  })
  return {
    now: known.now.toISOString(),
    tasks,
    lastHour: [...lastHour.byMinute],
    estimated: lastHour.estimated,
    schedules: known.schedules,
    links,
  }
}
