import type { z } from '@hono/zod-openapi'
import type { Caller, Claims } from '../auth/caller.ts'
import type { AuthOptions } from '../auth/verify.ts'
import type { Security } from '../http/security.ts'
import { asyncPart } from '../schemas/walk.ts'
import {
  type Handler,
  handle,
  handlePlain,
  type Operation,
  type PlainHandler,
  type PlainOperation,
  type PlainRoute,
  type RouteDefinition,
} from './route.ts'

/** How a service reads its tokens, with functions that define handlers with typed claims. */
export interface Auth<C extends Claims = Claims> extends AuthOptions<C> {
  /** Like `handle` of `#runtime`, with typed claims in `c.var.caller.claims`. */
  handle<const R extends RouteDefinition>(route: R, handler: Handler<R, C>): Operation
  /** Like `handlePlain` of `#runtime`, with typed claims in `c.var.caller.claims`. */
  handlePlain<const S extends Security>(route: PlainRoute<S>, handler: PlainHandler<S, C>): PlainOperation
}

/** The type of a caller with the claims of an `Auth`: `CallerOf<typeof auth>`. */
export type CallerOf<A> = A extends Auth<infer C> ? Caller<C> : never

/**
 * Declares claims of your own that each token must have. Give the result to `createApp` as `auth`. Handlers that its
 * `handle` defines get typed claims. The service does not start if `createApp` has another `auth`.
 *
 * @param options.claims the schema of the claims. A token that does not fit is a 401 TOKEN_INVALID
 * @param options.scopesOf reads the scopes from the claims; `scope`, `scp`, `permissions` and `roles` if absent
 * @throws {TypeError} for an asynchronous schema
 * @example
 * const auth = defineAuth({ claims: z.object({ tenant: z.string() }) })
 * auth.handle(getOrder, (c) => c.json({ id: order.id, item: c.var.caller.claims.tenant }, 200))
 */
export function defineAuth<Schema extends z.ZodType<Claims>>(options: {
  claims: Schema
  scopesOf?: (claims: Readonly<Claims & z.output<Schema>>) => readonly string[]
}): Auth<Claims & z.output<Schema>> {
  const place = asyncPart(options.claims)
  if (place !== undefined)
    throw new TypeError(
      `The claims of a token are checked synchronously (${place || 'the top level'}): write the refinement without async. ` +
        'Checks that need I/O belong in a middleware.',
    )
  const auth: Auth<Claims & z.output<Schema>> = {
    ...options,
    handle: (route, handler) => ({ ...handle(route, handler as never), auth }),
    handlePlain: (route, handler) => ({ ...handlePlain(route, handler as never), auth }),
  }
  return auth
}
