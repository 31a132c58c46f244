import type { Config, Values } from './config/config.ts'
import type { Variables } from './config/parse-values.ts'
import { taskVariables } from './config/task-variables.ts'
import type { CreateMiddleware } from './routes/caller-middleware.ts'
import type { Operation, PlainOperation } from './routes/route.ts'
import type { RouteContext } from './routes/route-context.ts'
import type { RouteGroup } from './routes/route-group.ts'
import type { Schedule } from './tasks/schedule.ts'
import type { Task } from './tasks/task.ts'

/** What a feature gets to create its routes. */
export interface FeatureContext<V extends Variables = Record<never, never>> extends RouteContext {
  /** The runtime's variables and the feature's own. */
  readonly config: Config & Values<V>
}

/** A feature of the service: its routes, variables, problems, tasks and schedules. */
export interface Feature extends RouteGroup {
  readonly variables: Variables
  readonly tasks: readonly Task[]
  readonly schedules: readonly Schedule[]
}

/**
 * Declares a feature.
 *
 * @param feature.variables zod schemas of its environment variables, parsed with the runtime's
 * @param feature.problems what `defineProblems` returned
 * @param feature.tasks what `defineTask` returned: a task that is not listed here does not run
 * @param feature.schedules what `defineSchedule` returned
 * @param feature.middleware what runs before each of its routes when the caller is known: `[({ database }) => limit(database)]`
 * @param feature.routes creates the routes. It runs once, at the start, so it may also prepare queries
 * @example
 * const orders = defineFeature({
 *   name: 'orders',
 *   description: 'Orders. Callers see only their own.',
 *   problems: orderProblems,
 *   tasks: [fulfilOrder],
 *   routes: () => [handle(getOrder, (c) => c.json({ id: c.req.valid('param').id, item: 'Teapot' }, 200))],
 * })
 */
export function defineFeature<const V extends Variables = Record<never, never>>(feature: {
  name: string
  description: string
  variables?: V
  problems?: Feature['problems']
  tasks?: readonly Task[]
  schedules?: readonly Schedule[]
  middleware?: readonly CreateMiddleware<FeatureContext<V>>[]
  routes: (context: FeatureContext<V>) => readonly (Operation | PlainOperation)[]
}): Feature {
  const { problems = {}, tasks = [], schedules = [], middleware = [], routes } = feature
  return {
    ...feature,
    prefix: '/',
    variables: feature.variables ?? {},
    problems,
    tasks,
    schedules,
    internal: false,
    middleware: middleware.map((create) => (context) => create(context as FeatureContext<V>)),
    routes: (context) => routes(context as FeatureContext<V>),
  }
}

/**
 * All variables that the features read: their own, their tasks', and those of Cloud Tasks if there are any tasks.
 *
 * @example
 * const config = parseConfig(process.env, variablesOf(features))
 */
export function variablesOf(features: readonly Feature[]): Variables[] {
  const background = features.some(({ tasks }) => tasks.length > 0) ? [taskVariables] : []
  const own = features.flatMap(({ variables, tasks }) => [variables, ...tasks.map((task) => task.variables)])
  return [...background, ...own]
}

/**
 * Mounts a feature below a prefix. All its routes get the prefix, in the service and in the contract.
 *
 * @returns the feature, for the list in `src/app.ts`
 *
 * @example
 * at('/v2', ordersV2).prefix // → '/v2'
 */
export function at(prefix: string, feature: Feature): Feature {
  return { ...feature, prefix }
}
