import type { MiddlewareHandler } from 'hono'
import type { Config, Values } from '../config/config.ts'
import type { taskVariables } from '../config/task-variables.ts'
import type { Database } from '../database/database.ts'
import { createReader } from '../database/reader.ts'
import type { BaseEnv } from '../http/env.ts'
import type { Step } from '../http/validation.ts'
import { requestMarginMs } from '../kernel/request-margin.ts'
import type { Log } from '../log/logger.ts'
import type { RouteGroup } from '../routes/route-group.ts'
import { batchFeature } from './batch-feature.ts'
import { handleCallback } from './callback.ts'
import { type CloudTasks, createCloudTasks } from './cloud-tasks.ts'
import { dashboardFeature } from './dashboard/dashboard-feature.ts'
import { callbackFeature, operatorFeature } from './features.ts'
import { admitInvoker } from './invoker.ts'
import { sendOutbox } from './outbox.ts'
import { overviewFeature } from './overview-feature.ts'
import type { Schedule } from './schedule.ts'
import { createSender } from './sender.ts'
import type { Task } from './task.ts'
import { tick } from './tick.ts'
import { traceLinks } from './trace-links.ts'

/** The service's background work. It runs inside requests. */
export interface BackgroundWork {
  /** The routes for operators, and those that Google calls. */
  readonly features: readonly RouteGroup[]
  /** Checks that a call comes from Google. */
  readonly invoker?: Step
  /** Sends the tasks that a request has enqueued to Cloud Tasks, before the response. */
  readonly flushOutbox?: MiddlewareHandler<BaseEnv>
}

/** How long a tick may take. The next one starts after a minute. */
const tickMs = 45_000

/**
 * Connects the features' tasks and schedules to Cloud Tasks.
 *
 * @param options.stopping aborts when the process stops
 * @param options.cloudTasks if absent, a client of Google's Cloud Tasks or of an emulator, as the configuration says
 * @throws {Error} for a name that is used twice, a schedule whose task is not listed, and a task that acts as its caller
 *   where the service cannot sign tokens
 * @example
 * const { flushOutbox } = backgroundWork({ features, config, database, log, revision: 'orders-00042-abc' })
 * if (flushOutbox) app.use(flushOutbox)
 */
export function backgroundWork(options: {
  features: readonly { readonly tasks: readonly Task[]; readonly schedules: readonly Schedule[] }[]
  config: Config
  database: Database
  log: Log
  revision: string
  stopping?: AbortSignal
  cloudTasks?: CloudTasks
}): BackgroundWork {
  const { features, database, log, revision, stopping = new AbortController().signal } = options
  const registry = byName(
    'task',
    features.flatMap(({ tasks }) => tasks),
  )
  const schedules = [
    ...byName(
      'schedule',
      features.flatMap(({ schedules }) => schedules),
    ).values(),
  ]
  for (const { name, task } of schedules) {
    if (registry.get(task.name) !== task)
      throw new Error(
        `The schedule ${name} enqueues ${task.name}, which no feature lists: add it to the tasks of its feature.`,
      )
  }
  if (registry.size === 0) return { features: [] }
  refuseUnsigned(registry.values(), options.config)

  const config = options.config as Config & Values<typeof taskVariables>
  const url = config.TASKS_URL ?? config.SERVICE_URL ?? ''
  const audience = config.TASKS_AUDIENCE ?? url
  const account = config.TASKS_INVOKER

  const emulator = config.CLOUD_TASKS_EMULATOR_HOST
  const client =
    options.cloudTasks ??
    createCloudTasks({
      ...{ queue: config.TASKS_QUEUE, invoker: account, audience, emulator },
      metadataHost: config.GCE_METADATA_HOST,
    })
  const sender = createSender({ client, database, log, url, registry })
  const maxAttemptMs = maxAttemptOf(config.REQUEST_TIMEOUT)
  const attempts = {
    ...{ database, config, log, stopping, registry, maxAttemptMs },
    reader: createReader(database.$client),
    gracePeriodMs: config.TASKS_PATIENCE * 1000,
  }
  const ticks = {
    ...{ database, log, sender, schedules, registry },
    retentionMs: config.TASKS_KEEP * 1000,
    budgetMs: Math.min(tickMs, maxAttemptMs),
  }

  return {
    features: [
      overviewFeature({ registry, schedules, links: traceLinks(config) }),
      operatorFeature,
      batchFeature,
      ...((config.TASKS_DASHBOARD ?? config.ENVIRONMENT !== 'live') ? [dashboardFeature(config)] : []),
      callbackFeature({
        run: (c, dispatch) => handleCallback(c, dispatch, attempts),
        tick: (c) => tick(ticks, c.get('signal')),
      }),
    ],
    invoker: admitInvoker({
      ...{ account, audience, log },
      issuers: config.OIDC_ISSUERS,
      jwksUrl: config.OIDC_JWKS_URL,
    }),
    flushOutbox: sendOutbox({ sender, database, log, revision }),
  }
}

/** How long an attempt may take, in milliseconds, so that its outcome can be written before the request's deadline. */
function maxAttemptOf(timeoutSeconds: number): number {
  return 1000 * timeoutSeconds - 2 * requestMarginMs(timeoutSeconds)
}

/** Refuses tasks that need a token which this service cannot sign. */
function refuseUnsigned(tasks: Iterable<Task>, config: Config): void {
  for (const { name, callerScopes } of tasks) {
    if (!callerScopes || !config.AUTH_JWKS_URL) continue
    throw new Error(
      `The task ${name} has callerScopes, but with AUTH_JWKS_URL only the provider can sign tokens for callers: remove ` +
        "callerScopes, write call(url, { as: 'service' }), and send the caller's subject as a value.",
    )
  }
}

function byName<Named extends { readonly name: string }>(
  kind: string,
  all: readonly Named[],
): Map<string, Named> {
  const named = new Map<string, Named>()
  for (const one of new Set(all)) {
    if (named.has(one.name)) throw new Error(`Two ${kind}s have the name ${one.name}: rename one.`)
    named.set(one.name, one)
  }
  return named
}
