import { Hono } from 'hono'
import {
  type AuthOptions,
  type BaseEnv,
  backgroundWork,
  type CloudTasks,
  type Config,
  type CreateMiddleware,
  completeConfig,
  compression,
  createAuthentication,
  crossOrigin,
  crossOriginNames,
  type Database,
  deadline,
  describeVersion,
  type Feature,
  https,
  type Log,
  mount,
  notFound,
  openApiDocument,
  ownedHosts,
  type ProblemFormat,
  pingDatabase,
  problemDetails,
  problemResponder,
  type ReadinessChecks,
  type Reporter,
  type ResponseHeaders,
  refuseUndeclared,
  requestContext,
  routerByMethod,
  systemFeature,
  variablesOf,
} from '#runtime'
import { orders } from './orders/orders.ts'

/** The service's features: a folder each, a line each. `at('/v2', feature)` mounts one below a prefix. */
export const features: readonly Feature[] = [orders]

/** What the contract says of the service. */
const contract = {
  title: 'Orders',
  description:
    'Every response carries `X-Request-Id`. A 503 says in `Retry-After` when to retry. Three responses are not listed with ' +
    'the operations: 308 redirects plain http to https (403 where a credential came in clear), 405 lists the methods in ' +
    '`Allow`, and 431 refuses headers over 16 KiB.',
}

/** How the service writes its problems. */
export const problemFormat: ProblemFormat = problemDetails

/**
 * Headers that every response carries, problems and streams too: `{ 'Cache-Control': 'no-store', 'X-Region': (c) => … }`.
 * A route that sets the same header wins.
 */
export const responseHeaders: ResponseHeaders = {}

/** Your error service: `error` gets every answer of 500 and above, `warning` what `reportWarning` is told. */
export const reporter: Reporter = {}

/** How tokens are read: `scopesOf` for a provider that keeps scopes elsewhere, `claims` to check your own. */
export const auth: AuthOptions = {}

/**
 * What runs before each route of the features, when the caller is known: a rate limit, for one. A feature lists what is
 * for its own routes alone.
 */
export const middleware: readonly CreateMiddleware[] = []

/** What else must answer before requests can be served, beside the database. */
export const readiness: ReadinessChecks = {}

/** What the service is made of. Tests replace the rest as well. */
export interface Dependencies {
  readonly config: Config
  readonly database: Database
  readonly log: Log
  readonly features?: readonly Feature[]
  readonly format?: ProblemFormat
  readonly headers?: ResponseHeaders
  readonly auth?: AuthOptions
  readonly reporter?: Reporter
  readonly readiness?: ReadinessChecks
  readonly middleware?: readonly CreateMiddleware[]
  /** Aborts when the process is told to stop: tasks that run are given back, streams end. */
  readonly stopping?: AbortSignal
  /** Cloud Tasks; Google's, or an emulator of it, as the configuration says, if absent. */
  readonly cloudTasks?: CloudTasks
}

/** The service, and the contract of what only Google calls, which it shows to nobody. */
export type Service = Hono<BaseEnv> & { internalContract(): Promise<object> }

/**
 * The whole service: what surrounds every request, from the outside in, and the features.
 *
 * @throws {ConfigError} for a variable of its features that is missing or wrong
 * @throws {Error} for a route that does not state its security, a name or code given twice, and the like
 */
export function createApp(dependencies: Dependencies): Service {
  const { database, log, ...replaced } = dependencies
  const { format, ...parts } = {
    ...{ features, format: problemFormat, headers: responseHeaders, middleware, auth, reporter, readiness },
    ...replaced,
  }
  const config = completeConfig(dependencies.config, variablesOf(parts.features))
  const app = new Hono<BaseEnv>({ router: routerByMethod() })
  const respond = problemResponder(format, log)
  const { verify, signToken, origins } = createAuthentication(config, parts.auth)
  const version = describeVersion(config)
  const { stopping = new AbortController().signal } = parts
  const trustedProxies = config.TRUSTED_PROXIES
  const tasks = backgroundWork({ ...parts, config, database, log, revision: version.revision })

  app.onError(respond)
  const outermost = requestContext({
    ...{ log, reporter: parts.reporter, respond, stopping, trustedProxies },
    headers: parts.headers,
  })
  app.use(outermost)
  // before the redirect to https, which pages elsewhere follow only where it says that they may
  if (config.CORS_ORIGINS)
    app.use(crossOrigin(config.CORS_ORIGINS, () => crossOriginNames(mounted, parts.headers)))
  app.use(
    https({
      hosts: ownedHosts(config),
      includeSubDomains: config.HSTS_INCLUDE_SUBDOMAINS,
      credentials: config.HTTP_CREDENTIALS,
    }),
  )
  app.use(compression())
  if (tasks.flushOutbox) app.use(tasks.flushOutbox)
  app.use(deadline({ timeoutSeconds: config.REQUEST_TIMEOUT }))
  // your own middleware comes here: it may throw, redirect or call next(); a response is a route's to make

  const system = systemFeature({
    version,
    readiness: { database: () => pingDatabase(database), ...parts.readiness },
    contract: () => document(false),
  })
  const { mounted, methods } = mount(app, [system, ...tasks.features, ...parts.features], {
    context: { database, config, signToken },
    security: { verify, cookie: config.AUTH_COOKIE, origins, invoker: tasks.invoker },
    replyCheck: config.REPLY_CHECK,
    format,
    auth: parts.auth,
    middleware: parts.middleware,
  })
  app.notFound(notFound(methods, respond))
  refuseUndeclared(app, mounted, [outermost])

  async function document(internal: boolean): Promise<object> {
    const shown = mounted.filter(({ feature }) => feature.internal === internal)
    return openApiDocument(shown, { info: { ...contract, version: version.version }, config, format })
  }
  return Object.assign(app, { internalContract: () => document(true) })
}
