import type { Hono, MiddlewareHandler } from 'hono'
import { every } from 'hono/combine'
import { mergePath } from 'hono/utils/url'
import type { AuthOptions } from '../auth/verify.ts'
import { ignoreAfterDeadline } from '../http/deadline.ts'
import type { BaseEnv } from '../http/env.ts'
import { idempotency } from '../http/idempotency.ts'
import { limitBody } from '../http/limit-body.ts'
import { type Methods, methodNotAllowed, methodsOf } from '../http/methods.ts'
import type { ProblemFormat } from '../http/problem-format.ts'
import { readBody } from '../http/read-body.ts'
import { readCookies, readHeaders, readPath, readQuery } from '../http/read-parameters.ts'
import { stateOf } from '../http/request-state.ts'
import { markRouted } from '../http/routed.ts'
import { type SecurityOptions, security } from '../http/security.ts'
import { bySpecificity, mixedReader, parseTemplate } from '../http/template.ts'
import type { Step } from '../http/validation.ts'
import { problems } from '../kernel/problem.ts'
import { stopEarly } from '../schemas/stop-early.ts'
import { type CallerMiddleware, type CreateMiddleware, withProblems } from './caller-middleware.ts'
import { checkPath } from './path-checks.ts'
import { problemCheck } from './problem-check.ts'
import { checkResponses, type ReplyCheck } from './response-check.ts'
import type { Operation, PlainOperation } from './route.ts'
import type { RouteContext } from './route-context.ts'
import type { RouteGroup } from './route-group.ts'
import { contentSchemas } from './schema-checks.ts'
import { isRuntimeFeature, type Mounted, startChecks } from './start-checks.ts'

/** What mounting needs, beside the features. */
export interface MountOptions {
  readonly context: RouteContext
  readonly security: Omit<SecurityOptions, 'database'>
  readonly replyCheck: ReplyCheck
  readonly format: ProblemFormat
  /** How tokens are read. */
  readonly auth: AuthOptions
  /** Creates the middleware that runs before all routes of the features, but not before the runtime's own. */
  readonly middleware?: readonly CreateMiddleware[]
}

/**
 * Registers all routes of the features. Each route first authenticates the caller, then runs the middleware of the service
 * and of the feature, then checks the request (limits, query, body), and then calls the handler: inside a transaction if
 * the route is idempotent, with checks of its response. The most specific path comes first, wherever it is listed.
 *
 * @returns the mounted routes, for the contract, and the methods of their paths
 * @throws {Error} for a route that `startChecks` refuses
 * @example
 * const { verify, signToken, origins } = createAuthentication(config)
 * const timeoutSeconds = config.REQUEST_TIMEOUT
 * const readers = createReaderPools({ metadataHost: '', timeoutSeconds, name: 'orders', log })
 * const { mounted, methods } = mount(app, features, {
 *   context: { database, config, signToken, openReader: readers.open },
 *   security: { verify, origins, cookie: undefined, invoker: undefined },
 *   replyCheck: 'fail',
 *   format: problemDetails,
 *   auth: {},
 * })
 */
export function mount(
  app: Hono<BaseEnv>,
  features: readonly RouteGroup[],
  options: MountOptions,
): { mounted: readonly Mounted[]; methods: Methods } {
  const { context } = options
  const everywhere = options.middleware?.map((create) => create(context)) ?? []
  const mounted = features.flatMap((feature) => {
    const own = feature.middleware.map((create) => create(context))
    const middleware = isRuntimeFeature(feature) ? own : [...everywhere, ...own]
    return feature
      .routes(context)
      .map((operation) => toMounted(feature, withProblems(operation, middleware), middleware))
  })
  startChecks(mounted, problems, options)
  const methods = methodsOf(mounted.map(({ method, template }) => ({ method, template })))
  for (const route of mounted.toSorted((a, b) => bySpecificity(a.template, b.template))) {
    const { method, template, path } = route
    const closed = methods.shadowing(method, template)
    const { steps, handler, isOwn } = chainOf(route, options)
    const check = checkOf(route, options)
    app.on(method, [template.hono], async function serve(c, next) {
      stateOf(c).route = path
      if (isOwn) markRouted(c)
      for (const { pattern } of closed)
        if (pattern.test(c.req.path)) throw methodNotAllowed(c.req.path, methods.allowedAt(c.req.path))
      try {
        for (const step of steps) {
          const waiting = step(c)
          if (waiting) await waiting
        }
        return await handler(c, next)
      } catch (thrown) {
        // Hono passes only instances of Error to the middleware around
        const error =
          thrown instanceof Error
            ? thrown
            : new Error('The handler threw a value that is not an error', { cause: thrown })
        return ignoreAfterDeadline(c, check(error, c))
      }
    })
  }
  return { mounted, methods }
}

function toMounted(
  feature: RouteGroup,
  operation: Operation | PlainOperation,
  middleware: readonly CallerMiddleware[],
): Mounted {
  const path = mergePath(feature.prefix, operation.route.path)
  const method = operation.route.method.toUpperCase()
  checkPath(`${method} ${path}`, path, operation)
  try {
    return { feature, operation, middleware, path, method, template: parseTemplate(path, operation.kind) }
  } catch (error) {
    throw new Error(`${method} ${path} has a path that cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/**
 * Refuses routes that no feature lists, because they declare no security. It also refuses middleware before the runtime's
 * outermost middleware, which checks the responses of all others (see `refuseUnrouted`).
 *
 * @throws {Error} naming the route
 * @example
 * const outermost = requestContext({ log, reporter: {}, respond, stopping, trustedProxies: 0 })
 * app.use(outermost)
 * refuseUndeclared(app, mounted, [outermost])
 */
export function refuseUndeclared(
  app: Hono<BaseEnv>,
  mounted: readonly Mounted[],
  outermost: readonly MiddlewareHandler<BaseEnv>[],
): void {
  for (const [index, handler] of outermost.entries()) {
    const first = app.routes[index]
    if (first?.handler === handler) continue
    throw new Error(
      `${first?.method} ${first?.path} is added before the runtime's own middleware: move its line below it.`,
    )
  }
  const stated = new Set(mounted.map(({ method, template }) => `${method} ${template.hono}`))
  for (const { method, path, handler } of app.routes) {
    const isMiddleware = method === 'ALL' && handler.length > 1
    if (isMiddleware || stated.delete(`${method} ${path}`)) continue
    throw new Error(
      `${method} ${path} does not declare its security: list it in a feature, by handle() or handlePlain().`,
    )
  }
}

/** What runs for a request to a route, in order. */
interface Chain {
  readonly steps: readonly Step[]
  readonly handler: MiddlewareHandler
  /** Whether only the route itself can create the response: no middleware runs before it. */
  readonly isOwn: boolean
}

/** Builds the chain of a route. Most routes have no middleware of the service or a feature: all steps run in one loop. */
function chainOf(route: Mounted, options: MountOptions): Chain {
  const { operation, middleware } = route
  const { security: stated } = operation.route
  const who =
    stated === 'public' ? [] : [security(stated, { ...options.security, database: options.context.database })]
  const what = stepsOf(route)
  const handler = handlerOf(operation, options)
  if (middleware.length === 0) return { steps: [...who, ...what], handler, isOwn: true }
  const rest: MiddlewareHandler<BaseEnv> = async (c, next) => {
    markRouted(c)
    for (const step of what) await step(c)
    return handler(c, next)
  }
  return { steps: who, handler: every(...middleware.map(({ run }) => run), rest), isOwn: false }
}

/** The checks of a request before the handler runs, in order. */
function stepsOf({ operation, template }: Mounted): Step[] {
  const { route } = operation
  const steps: Step[] = []
  const limits = { values: route.bodyValues, files: route.bodyFiles }
  const limit = route.method === 'get' ? [] : [limitBody(route.bodyLimit, limits)]
  if (operation.kind === 'plain') return limit
  const { params, query, headers, cookies, body } = operation.route.request ?? {}
  if (params) steps.push(readPath(params, mixedReader(template)))
  steps.push(readQuery(query))
  if (headers) steps.push(readHeaders(headers))
  if (cookies) steps.push(readCookies(cookies))
  steps.push(...limit)
  for (const schema of contentSchemas(body)) stopEarly(schema)
  if (body) steps.push(readBody(body, limits))
  return steps
}

/** The check of what a route throws. A plain route is not in the contract, so nothing is checked. */
function checkOf({ operation, middleware }: Mounted, { replyCheck, security, format }: MountOptions) {
  if (operation.kind === 'plain') return (error: Error) => error
  return problemCheck(operation.route, {
    mode: replyCheck,
    cookie: security.cookie,
    contentType: format.contentType,
    hasMiddleware: middleware.length > 0,
  })
}

/** The handler, with the check of its responses, the route's own middleware, and its transaction. */
function handlerOf(operation: Operation | PlainOperation, options: MountOptions): MiddlewareHandler {
  if (operation.kind === 'plain') return operation.handler as MiddlewareHandler
  const { operationId, responses, idempotent, middleware } = operation.route
  const checked = checkResponses(
    operationId,
    responses,
    options.replyCheck,
    operation.handler,
  ) as MiddlewareHandler
  const around = [
    ...[middleware ?? []].flat(),
    ...(idempotent ? [idempotency(options.context.database)] : []),
  ]
  return around.length > 0 ? every(...around, checked) : checked
}
