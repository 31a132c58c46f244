import type { Hono, MiddlewareHandler } from 'hono'
import { every } from 'hono/combine'
import { mergePath } from 'hono/utils/url'
import { type SecurityOptions, security } from '../auth/security.ts'
import { ignoreAfterDeadline } from '../http/deadline.ts'
import type { BaseEnv } from '../http/env.ts'
import { idempotency } from '../http/idempotency.ts'
import { limitBody } from '../http/limit-body.ts'
import { type Methods, methodNotAllowed, methodsOf } from '../http/methods.ts'
import { problems } from '../http/problem.ts'
import type { ProblemFormat } from '../http/problem-format.ts'
import { readBody } from '../http/read-body.ts'
import { readCookies, readHeaders, readPath, readQuery } from '../http/read-parameters.ts'
import { markRouted } from '../http/routed.ts'
import { bySpecificity, mixedReader, parseTemplate } from '../http/template.ts'
import type { Step } from '../http/validation.ts'
import type { Feature, FeatureContext } from './feature.ts'
import { checkPath } from './path-checks.ts'
import { problemCheck } from './problem-check.ts'
import { checkReplies, type ReplyCheck } from './reply.ts'
import type { Operation, PlainOperation } from './route.ts'
import { contentSchemas } from './schema-checks.ts'
import { type Mounted, startChecks } from './start-checks.ts'
import { stopEarly } from './stop-early.ts'

/** What mounting needs beside the features. */
export interface MountOptions {
  readonly context: FeatureContext
  readonly security: SecurityOptions
  readonly replyCheck: ReplyCheck
  readonly format: ProblemFormat
}

/**
 * Registers every route of every feature: who, then what (limits, query, body, schemas), then the handler,
 * inside its transaction where the route is idempotent, its replies checked. The most specific path comes first,
 * wherever it is listed.
 *
 * @returns what was mounted, for the contract, and which methods its paths take
 * @throws {Error} for a route that may not start (see `startChecks`)
 */
export function mount(
  app: Hono<BaseEnv>,
  features: readonly Feature[],
  options: MountOptions,
): { mounted: readonly Mounted[]; methods: Methods } {
  const mounted = features.flatMap((feature) =>
    feature.routes(options.context).map((operation) => place(feature, operation)),
  )
  startChecks(mounted, problems, options.format)
  const methods = methodsOf(mounted.map(({ method, template }) => ({ method, template })))
  for (const route of mounted.toSorted((a, b) => bySpecificity(a.template, b.template))) {
    const { operation, method, template } = route
    const steps = stepsOf(route, options)
    const closed = methods.closedTo(method, template)
    const handler = handlerOf(operation, options)
    const check = checkOf(operation, options)
    app.on(method, [template.hono], async function serve(c, next) {
      markRouted(c)
      for (const { pattern } of closed)
        if (pattern.test(c.req.path)) throw methodNotAllowed(c.req.path, methods.at(c.req.path))
      try {
        for (const step of steps) {
          const waiting = step(c)
          if (waiting) await waiting
        }
        return await handler(c, next)
      } catch (thrown) {
        // Hono hands only instances of Error to the middleware around
        const error =
          thrown instanceof Error ? thrown : new Error('Not an error was thrown', { cause: thrown })
        return ignoreAfterDeadline(c, check(error, c))
      }
    })
  }
  return { mounted, methods }
}

function place(feature: Feature, operation: Operation | PlainOperation): Mounted {
  const path = mergePath(feature.prefix, operation.route.path)
  const method = operation.route.method.toUpperCase()
  checkPath(`${method} ${path}`, path, operation)
  try {
    return { feature, operation, path, method, template: parseTemplate(path, operation.kind) }
  } catch (error) {
    throw new Error(`${method} ${path} has a path that cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/**
 * Refuses routes that were added past the features, which state no security, and middleware that stands before the
 * runtime's outermost, which refuse what a middleware answers by itself (see `refuseUnrouted`).
 *
 * @throws {Error} naming the route
 */
export function refuseUnstated(
  app: Hono<BaseEnv>,
  mounted: readonly Mounted[],
  outermost: readonly MiddlewareHandler<BaseEnv>[],
): void {
  for (const [index, handler] of outermost.entries()) {
    const first = app.routes[index]
    if (first?.handler === handler) continue
    throw new Error(
      `${first?.method} ${first?.path} is added before the runtime's own: move its line below them.`,
    )
  }
  const stated = new Set(mounted.map(({ method, template }) => `${method} ${template.hono}`))
  for (const { method, path, handler } of app.routes) {
    const isMiddleware = method === 'ALL' && handler.length > 1
    if (isMiddleware || stated.delete(`${method} ${path}`)) continue
    throw new Error(
      `${method} ${path} does not state its security: list it in a feature, by handle() or handlePlain().`,
    )
  }
}

/** What must hold before a route's handler runs, in order: who, then what. */
function stepsOf({ operation, template }: Mounted, options: MountOptions): Step[] {
  const { route } = operation
  const steps: Step[] = route.security === 'public' ? [] : [security(route.security, options.security)]
  const limits = { values: route.bodyValues, files: route.bodyFiles }
  const limit = route.method === 'get' ? [] : [limitBody(route.bodyLimit, limits)]
  if (operation.kind === 'plain') return [...steps, ...limit]
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

/** The check of what is thrown: a plain route has no contract to hold to. */
function checkOf(operation: Operation | PlainOperation, { replyCheck, security, format }: MountOptions) {
  if (operation.kind === 'plain') return (error: Error) => error
  const { cookie } = security
  return problemCheck(operation.route, { mode: replyCheck, cookie, contentType: format.contentType })
}

/** The handler with what stands around it: its checked replies, its own middleware, its transaction. */
function handlerOf(operation: Operation | PlainOperation, options: MountOptions): MiddlewareHandler {
  if (operation.kind === 'plain') return operation.handler as MiddlewareHandler
  const { operationId, responses, idempotent, middleware } = operation.route
  const checked = checkReplies(
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
