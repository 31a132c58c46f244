import type { SignToken } from '../auth/sign.ts'
import type { Config, Values, Variables } from '../config/config.ts'
import type { Database } from '../database/database.ts'
import type { ProblemDefinition } from '../http/problem.ts'
import type { Operation, PlainOperation } from './route.ts'

/** What a feature is given to make its routes with. */
export interface FeatureContext<V extends Variables = Record<never, never>> {
  readonly database: Database
  /** The runtime's variables and the feature's own. */
  readonly config: Config & Values<V>
  /** Issues a token of the service's own (AUTH_SECRET): for a login route. */
  readonly signToken: SignToken
}

/** A folder of the service: its routes, its variables, its problems. */
export interface Feature {
  readonly name: string
  /** What the contract says of its operations as a group. */
  readonly description: string
  readonly prefix: string
  readonly variables: Variables
  readonly problems: Readonly<Record<string, ProblemDefinition>>
  readonly routes: (context: FeatureContext) => readonly (Operation | PlainOperation)[]
}

/**
 * Declares a feature.
 *
 * @param feature.variables zod schemas of its environment variables, parsed with the runtime's
 * @param feature.problems what `defineProblems` returned
 * @param feature.routes makes the routes, once at the start: a place to prepare queries
 */
export function defineFeature<const V extends Variables = Record<never, never>>(feature: {
  name: string
  description: string
  variables?: V
  problems?: Feature['problems']
  routes: (context: FeatureContext<V>) => readonly (Operation | PlainOperation)[]
}): Feature {
  const { variables, problems = {}, routes } = feature
  return {
    ...feature,
    prefix: '/',
    variables: variables ?? {},
    problems,
    routes: (context) => routes(context as FeatureContext<V>),
  }
}

/** Mounts a feature below a prefix: `at('/v2', ordersV2)`. */
export function at(prefix: string, feature: Feature): Feature {
  return { ...feature, prefix }
}
