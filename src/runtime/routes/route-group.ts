import type { ProblemDefinition } from '../kernel/problem.ts'
import type { CreateMiddleware } from './caller-middleware.ts'
import type { Operation, PlainOperation } from './route.ts'
import type { RouteContext } from './route-context.ts'

/** Routes that belong together: those of a feature, or some of the runtime's own. */
export interface RouteGroup {
  readonly name: string
  /** What the contract says of its operations as a group. */
  readonly description: string
  readonly prefix: string
  readonly problems: Readonly<Record<string, ProblemDefinition>>
  /** Its routes are Google's to call: they are in `openapi/internal.json`, not in the contract. */
  readonly internal: boolean
  /** What runs before each of its routes, when the caller is known: the first is the outermost. */
  readonly middleware: readonly CreateMiddleware[]
  readonly routes: (context: RouteContext) => readonly (Operation | PlainOperation)[]
}

/** Declares routes of the runtime's own; a service's are in its features. */
export function defineRouteGroup(
  group: Pick<RouteGroup, 'name' | 'description' | 'routes'> & Partial<RouteGroup>,
): RouteGroup {
  return { prefix: '/', problems: {}, internal: false, middleware: [], ...group }
}
