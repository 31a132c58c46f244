import type { ProblemDefinition } from '../kernel/problem.ts'
import type { CreateMiddleware } from './caller-middleware.ts'
import type { Operation, PlainOperation } from './route.ts'
import type { RouteContext } from './route-context.ts'

/** Routes that belong together: those of a feature, or some of the runtime's own. */
export interface RouteGroup {
  readonly name: string
  /** The description of the group in the contract. */
  readonly description: string
  readonly prefix: string
  readonly problems: Readonly<Record<string, ProblemDefinition>>
  /** Whether its routes are for Google or for the runtime's own pages. They are in `openapi/internal.json`, not in the contract. */
  readonly internal: boolean
  /** What runs before each of its routes, when the caller is known: the first is the outermost. */
  readonly middleware: readonly CreateMiddleware[]
  readonly routes: (context: RouteContext) => readonly (Operation | PlainOperation)[]
}

/** Declares routes of the runtime. (A service declares its routes in features.) */
export function defineRouteGroup(
  group: Pick<RouteGroup, 'name' | 'description' | 'routes'> & Partial<RouteGroup>,
): RouteGroup {
  return { prefix: '/', problems: {}, internal: false, middleware: [], ...group }
}
