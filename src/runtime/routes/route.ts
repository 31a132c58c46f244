import type { ResponseConfig } from '@asteasolutions/zod-to-openapi'
import type { RouteConfig, RouteHandler, z } from '@hono/zod-openapi'
import type { Context, Env, Handler as HonoHandler, Input, MiddlewareHandler } from 'hono'
import type { Claims } from '../auth/caller.ts'
import type { AuthOptions } from '../auth/verify.ts'
import type { Transaction } from '../database/database.ts'
import type { BaseEnv } from '../http/env.ts'
import type { CallerVariables, Security } from '../http/security.ts'
import type { ProblemDefinition } from '../kernel/problem.ts'
import type { BodyInput } from './body-input.ts'
import type { RouteResponse } from './route-response.ts'

/**
 * The declaration of a route: its method and path, who may call it, its request and its responses. The contract adds the
 * problems that follow from these (400, 401, 403, 413, 415, 500, 503).
 */
export interface RouteDefinition {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** As in OpenAPI: `/orders/{id}`. */
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly security: Security
  /**
   * Schemas of the query and the body are strict objects: unknown keys are refused, and the contract says so. Schemas are
   * synchronous: checks that need the database belong in the handler.
   */
  readonly request?: RouteConfig['request'] & {
    readonly headers?: z.ZodObject
    readonly cookies?: z.ZodObject
  }
  readonly responses: Responses
  /** The problems that this route throws itself. */
  readonly problems?: readonly ProblemDefinition[]
  /** Honours `Idempotency-Key`. The handler gets the transaction `c.var.tx`, which commits with the stored response. */
  readonly idempotent?: boolean
  /** The limit of the body, in bytes; 1 MiB if absent. */
  readonly bodyLimit?: number
  /** How many values a JSON body may hold; 100,000 if absent. */
  readonly bodyValues?: number
  /** How many files a form may hold; 100 if absent. */
  readonly bodyFiles?: number
  /**
   * Middleware that runs around the handler and its transaction, after the request was validated. Variables that its type
   * sets are typed in the handler: a `MiddlewareHandler<{ Variables: { account: Account } }>` gives `c.var.account`.
   */
  readonly middleware?: MiddlewareHandler | readonly MiddlewareHandler[]
}

/** The variables that a route's own middleware sets. */
type MiddlewareVariables<M> = M extends readonly [infer First, ...infer Rest]
  ? MiddlewareVariables<First> & MiddlewareVariables<Rest>
  : M extends MiddlewareHandler<infer E>
    ? E extends { Variables: infer Variables extends object }
      ? Variables
      : unknown
    : unknown

/** What a route responds with, by status (`200`), by range (`2XX`), or by `default`. */
export interface Responses {
  readonly [status: string]: ResponseConfig
}

/** The environment of a route's handler. */
export type RouteEnv<R extends RouteDefinition, C extends Claims = Claims> = {
  Bindings: BaseEnv['Bindings']
  Variables: BaseEnv['Variables'] &
    CallerVariables<R['security'], C> &
    MiddlewareVariables<R['middleware']> &
    (R extends { idempotent: true } ? { tx: Transaction } : unknown)
}

type Configuration<R extends RouteDefinition> = Omit<R, 'security' | 'middleware' | 'problems'>

/** The context of a handler. It adds `c.req.valid('text')`, which Hono does not have. */
type ContextOf<C extends RouteConfig, E extends Env> =
  BodyInput<BodyOf<C>> extends infer Body
    ? Parameters<RouteHandler<C, E, { in: object; out: PartsOf<C> & Omit<Body, 'text'> }>>[0] &
        (Body extends { text: infer Text } ? { req: { valid(part: 'text'): Text } } : unknown)
    : never

type BodyOf<C extends RouteConfig> = C extends { request: { body: infer Body } } ? Body : undefined

/** The types of `c.req.valid()` without the body, as zod-openapi infers them. */
type PartsOf<C extends RouteConfig> =
  RouteHandler<C> extends HonoHandler<infer _Env, infer _Path, infer I extends Input>
    ? Omit<I['out'], 'json' | 'form'>
    : never

/** The handler of a route: typed by what the route states, and by the claims that the service checks. */
export type Handler<R extends RouteDefinition, C extends Claims = Claims> =
  Configuration<R> extends infer Stated extends RouteConfig
    ? (c: ContextOf<Stated, RouteEnv<R, C>>) => RouteResponse<Stated> | Promise<RouteResponse<Stated>>
    : never

/** The handler of a plain route. */
export type PlainHandler<S extends Security, C extends Claims = Claims> = (
  c: Context<
    { Bindings: BaseEnv['Bindings']; Variables: BaseEnv['Variables'] & CallerVariables<S, C> } & Env
  >,
) => Response | Promise<Response>

/** A route with its handler, as a feature lists it. */
export interface Operation {
  readonly kind: 'contract'
  /** How tokens must be read for its handler, which knows their claims: see `defineAuth`. */
  readonly auth?: AuthOptions
  readonly route: RouteDefinition
  readonly handler: (c: Context) => Response | Promise<Response>
}

/** A route outside the contract: a webhook's raw body, a page of HTML. */
export interface PlainRoute<S extends Security = Security> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** As in Hono: `/hooks/:name`. */
  readonly path: string
  readonly security: S
  /** The limit of the body, in bytes; 1 MiB if absent. */
  readonly bodyLimit?: number
  /** How many values `c.req.json()` may give; 100,000 if absent. */
  readonly bodyValues?: number
  /** How many files a form may hold; 100 if absent. */
  readonly bodyFiles?: number
}

/** A plain route with its handler. */
export interface PlainOperation {
  readonly kind: 'plain'
  /** How tokens must be read for its handler, which knows their claims: see `defineAuth`. */
  readonly auth?: AuthOptions
  readonly route: PlainRoute
  readonly handler: (c: Context) => Response | Promise<Response>
}

/**
 * Declares a route. It returns its argument, with exact types.
 *
 * @example
 * const getOrder = defineRoute({
 *   method: 'get',
 *   path: '/orders/{id}',
 *   operationId: 'getOrder',
 *   summary: 'Show an order',
 *   security: ['orders:read'],
 *   request: { params: z.object({ id: z.uuid() }) },
 *   responses: { 200: json('The order', Order) },
 *   problems: [orderProblems.ORDER_NOT_FOUND],
 * })
 */
export function defineRoute<const R extends RouteDefinition>(route: R): R {
  return route
}

/**
 * Joins a route of the contract and its handler.
 *
 * @example
 * handle(getOrder, (c) => {
 *   const { id } = c.req.valid('param')
 *   return c.json({ id, item: 'Teapot' }, 200)
 * })
 */
export function handle<const R extends RouteDefinition>(route: R, handler: Handler<R>): Operation {
  return { kind: 'contract', route, handler: handler as unknown as Operation['handler'] }
}

/**
 * Joins a plain route and its handler. The handler reads the body itself, within the limit.
 *
 * @example
 * handlePlain({ method: 'post', path: '/hooks/paid', security: 'public' }, async (c) => {
 *   const body = await c.req.arrayBuffer() // the signature covers these bytes
 *   return c.body(null, 204)
 * })
 */
export function handlePlain<const S extends Security>(
  route: PlainRoute<S>,
  handler: PlainHandler<S>,
): PlainOperation {
  return { kind: 'plain', route, handler: handler as unknown as PlainOperation['handler'] }
}

/**
 * A JSON response for `responses`.
 *
 * @param schema the schema of the body. Give it an example by `.openapi({ example })`
 * @param headers descriptions of the headers by name. For a header that may be absent, write an OpenAPI header object with
 * `required: false`
 * @example
 * const responses = { 200: json('The order', Order, { ETag: 'The version of the order' }) }
 */
export function json<S extends z.ZodType>(description: string, schema: S, headers: DeclaredHeaders = {}) {
  return { description, headers: describeHeaders(headers), content: { 'application/json': { schema } } }
}

/** Headers of a response by name: a description, or an OpenAPI header object. */
export type DeclaredHeaders = Record<
  string,
  string | { description: string; required?: boolean; schema: { type: 'string' } }
>

/** The `headers` of a response, as OpenAPI has them. */
export function describeHeaders(headers: DeclaredHeaders) {
  const described = Object.entries(headers).map(([name, header]) => [
    name,
    typeof header === 'object'
      ? header
      : { description: header, required: true, schema: { type: 'string' as const } },
  ])
  return Object.fromEntries(described)
}

/**
 * A JSON body for `request`.
 *
 * @example
 * const request = { body: jsonBody(z.strictObject({ item: z.string() })) }
 */
export function jsonBody<S extends z.ZodType>(schema: S) {
  return { required: true as const, content: { 'application/json': { schema } } }
}
