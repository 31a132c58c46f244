import { Hono } from 'hono'
import {
  type AuthOptions,
  apiKeysOf,
  type BaseEnv,
  backgroundWork,
  type CloudTasks,
  type Config,
  type CreateMiddleware,
  completeConfig,
  compression,
  createAuthentication,
  createReaderPools,
  createTraces,
  crossOrigin,
  crossOriginNames,
  type Database,
  deadline,
  describeVersion,
  docsFeatures,
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
  systemFeature,
  variablesOf,
} from '#runtime'
import { orders } from './orders/orders.ts'
import { webhooks } from './webhooks/webhooks.ts'

/** The service's features: a folder each, a line each. `at('/v2', feature)` mounts one below a prefix. */
export const features: readonly Feature[] = [orders, webhooks]

/** The title and the description of the contract. */
const contract = {
  title: 'Orders',
  description:
    'Every response carries `X-Request-Id`. A 503 says in `Retry-After` when to retry. Three responses are not listed with ' +
    'the operations: 308 redirects plain http to https (403 if a credential came in clear), 405 lists the methods in ' +
    '`Allow`, and 431 refuses headers over 16 KiB.',
}

/** How the service writes problems. */
export const problemFormat: ProblemFormat = problemDetails

/**
 * Headers of every response, also of problems and streams: `{ 'Cache-Control': 'no-store', 'X-Region': (c) => … }`. A
 * route that sets the same header has precedence.
 */
export const responseHeaders: ResponseHeaders = {}

/** Your error service. `error` is called for each response of 500 or above, `warning` for each `reportWarning`. */
export const reporter: Reporter = {}

/** How tokens are read. Set `scopesOf` if your provider keeps scopes elsewhere, and `claims` to check claims of your own. */
export const auth: AuthOptions = {}

/**
 * Middleware that runs before each route of the features, when the caller is known: a rate limit, for example. Middleware
 * for the routes of one feature belongs in that feature.
 */
export const middleware: readonly CreateMiddleware[] = []

/** More checks of readiness, in addition to the database's. */
export const readiness: ReadinessChecks = {}

/** What `createApp` needs. The optional ones have defaults above; tests replace them. */
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
  /** Aborts when the process stops. Running tasks are released then, and streams end. */
  readonly stopping?: AbortSignal
  /** A client of Cloud Tasks. If absent, the configuration decides: Google's, or an emulator. */
  readonly cloudTasks?: CloudTasks
}

/** The service. `internalContract` describes the routes that only Google calls; no route shows it. */
export type Service = Hono<BaseEnv> & {
  internalContract(): Promise<object>
  /** Closes what the features have opened, and sends the last traces. The caller closes `database` itself. */
  close(): Promise<void>
}

/**
 * Creates the whole service: the middleware of every request, from the outside in, and the features.
 *
 * @throws {ConfigError} for a variable of its features that is missing or wrong
 * @throws {Error} for a route that does not declare its security, a name or code that is used twice, and so on
 */
export function createApp(dependencies: Dependencies): Service {
  const { database, log, ...replaced } = dependencies
  const { format, ...parts } = {
    ...{ features, format: problemFormat, headers: responseHeaders, middleware, auth, reporter, readiness },
    ...replaced,
  }
  const config = completeConfig(dependencies.config, variablesOf(parts.features))
  const app = new Hono<BaseEnv>()
  const respond = problemResponder(format, log)
  const { verify, signToken, origins, identity } = createAuthentication(config, parts.auth)
  const version = describeVersion(config)
  const { stopping = new AbortController().signal } = parts
  const trustedProxies = config.TRUSTED_PROXIES
  const readers = createReaderPools({
    metadataHost: config.GCE_METADATA_HOST,
    timeoutSeconds: config.REQUEST_TIMEOUT,
    name: `${version.service} ${version.revision}`,
    log,
  })
  const traces = createTraces({ config, version, log })
  const tasks = backgroundWork({ ...parts, config, database, log, revision: version.revision })

  app.onError(respond)
  const outermost = requestContext({
    ...{ log, reporter: parts.reporter, respond, stopping, trustedProxies, identity, traces },
    headers: parts.headers,
  })
  app.use(outermost)
  // before the redirect to https: pages of other origins follow it only if it has the CORS headers
  if (config.CORS_ORIGINS)
    app.use(crossOrigin(config.CORS_ORIGINS, () => crossOriginNames(mounted, parts.headers)))
  app.use(
    https({
      hosts: ownedHosts(config),
      includeSubDomains: config.HSTS_INCLUDE_SUBDOMAINS,
      credentials: config.HTTP_CREDENTIALS,
      apiKeyHeaders: () => apiKeysOf(mounted).map(({ header }) => header),
    }),
  )
  app.use(compression())
  if (tasks.flushOutbox) app.use(tasks.flushOutbox)
  app.use(deadline({ timeoutSeconds: config.REQUEST_TIMEOUT }))
  // add your own middleware here. It may throw, redirect or call next(); only routes create other responses

  const system = systemFeature({
    version,
    readiness: () => ({ database: () => pingDatabase(database), ...readers.checks(), ...parts.readiness }),
    contract: () => document(false),
  })
  const docs = docsFeatures({ title: contract.title, config })
  const { mounted, methods } = mount(app, [system, ...docs, ...tasks.features, ...parts.features], {
    context: { database, config, signToken, openReader: readers.open },
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
  const close = async () => void (await Promise.all([readers.close(), traces?.flush()]))
  return Object.assign(app, { internalContract: () => document(true), close })
}
