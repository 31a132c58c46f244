import type { SignToken } from '../auth/sign.ts'
import type { Config, Values, Variables } from '../config/config.ts'
import type { Database } from '../database/database.ts'
import type { ProblemDefinition } from '../http/problem.ts'
import type { Schedule } from '../tasks/schedule.ts'
import type { Task } from '../tasks/task.ts'
import { taskVariables } from '../tasks/variables.ts'
import type { CreateMiddleware } from './caller-middleware.ts'
import type { Operation, PlainOperation } from './route.ts'

/** What a feature is given to make its routes with. */
export interface FeatureContext<V extends Variables = Record<never, never>> {
  readonly database: Database
  /** The runtime's variables and the feature's own. */
  readonly config: Config & Values<V>
  /** Issues a token of the service's own (AUTH_SECRET): for a login route. */
  readonly signToken: SignToken
}

/** A folder of the service: its routes, its variables, its problems, its tasks. */
export interface Feature {
  readonly name: string
  /** What the contract says of its operations as a group. */
  readonly description: string
  readonly prefix: string
  readonly variables: Variables
  readonly problems: Readonly<Record<string, ProblemDefinition>>
  readonly tasks: readonly Task[]
  readonly schedules: readonly Schedule[]
  /** Its routes are Google's to call: they are in `openapi/internal.json`, not in the contract. */
  readonly internal: boolean
  /** What runs before each of its routes, when the caller is known. */
  readonly middleware: CreateMiddleware
  readonly routes: (context: FeatureContext) => readonly (Operation | PlainOperation)[]
}

/**
 * Declares a feature.
 *
 * @param feature.variables zod schemas of its environment variables, parsed with the runtime's
 * @param feature.problems what `defineProblems` returned
 * @param feature.tasks what `defineTask` returned: a task that is not listed here does not run
 * @param feature.schedules what `defineSchedule` returned
 * @param feature.middleware creates what runs before each of its routes when the caller is known: see `CallerMiddleware`
 * @param feature.routes makes the routes, once at the start: a place to prepare queries
 */
export function defineFeature<const V extends Variables = Record<never, never>>(feature: {
  name: string
  description: string
  variables?: V
  problems?: Feature['problems']
  tasks?: readonly Task[]
  schedules?: readonly Schedule[]
  internal?: boolean
  middleware?: CreateMiddleware<FeatureContext<V>>
  routes: (context: FeatureContext<V>) => readonly (Operation | PlainOperation)[]
}): Feature {
  const {
    problems = {},
    tasks = [],
    schedules = [],
    internal = false,
    middleware = () => [],
    routes,
  } = feature
  return {
    ...feature,
    prefix: '/',
    variables: Object.assign({}, feature.variables, ...tasks.map((task) => task.variables)),
    problems,
    tasks,
    schedules,
    internal,
    middleware: (context) => middleware(context as FeatureContext<V>),
    routes: (context) => routes(context as FeatureContext<V>),
  }
}

/** All variables that these features read: their own, their tasks', and, where there are tasks, those that all need. */
export function variablesOf(features: readonly Feature[]): Variables[] {
  const background = features.some(({ tasks }) => tasks.length > 0) ? [taskVariables] : []
  return [...background, ...features.map(({ variables }) => variables)]
}

/** Mounts a feature below a prefix: `at('/v2', ordersV2)`. */
export function at(prefix: string, feature: Feature): Feature {
  return { ...feature, prefix }
}
