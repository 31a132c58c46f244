import type { ApiKey } from '../auth/api-key.ts'
import type { Config } from '../config/config.ts'
import type { ProblemFormat } from '../http/problem-format.ts'
import { apiKeysOf } from '../routes/api-keys.ts'
import { type Mounted, schemasOf, uniqueNames } from '../routes/start-checks.ts'
import { type Json, schemaWriter } from '../schemas/json-schema.ts'
import { operationOf } from './operation.ts'
import { shareAlike, sharedParts } from './shared-parts.ts'

/** What the contract says about the service as a whole. */
export interface DocumentOptions {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  /** SERVICE_URL is the server. AUTH_COOKIE, if it is set, is a second way to send the token. */
  readonly config: Pick<Config, 'SERVICE_URL' | 'AUTH_COOKIE'>
  readonly format: ProblemFormat
}

/**
 * Builds the contract in OpenAPI 3.1 from the declarations of the routes. It adds the security, the problems that follow
 * from the security and the request, and the Idempotency-Key header, so that no route repeats them. Parts that several
 * operations share are written once, in `components`.
 *
 * @throws {Error} naming the route and the place of what JSON cannot hold
 */
export function openApiDocument(mounted: readonly Mounted[], options: DocumentOptions): object {
  const { info, config, format } = options
  const writer = schemaWriter(uniqueNames([...mounted.flatMap(schemasOf), format.schema]))
  const parts = sharedParts()
  const places: { path: string; method: string }[] = []
  const operations: Json[] = []
  for (const { operation, path, feature } of mounted) {
    if (operation.kind === 'plain') continue
    const { route } = operation
    places.push({ path, method: route.method })
    const options = { path, tag: feature.name, cookie: config.AUTH_COOKIE, format, writer, parts }
    operations.push(operationOf(route, options))
  }
  const shared = shareAlike(operations, parts)
  const { components: schemas, resolve } = writer.finish()
  const paths: Record<string, Json> = {}
  for (const [index, { path, method }] of places.entries())
    paths[path] = { ...paths[path], [method]: resolve(shared[index] ?? {}) }
  const shown = mounted.filter(({ operation }) => operation.kind === 'contract')
  const features = new Map(shown.map(({ feature }) => [feature.name, feature.description]))
  return {
    openapi: '3.1.0',
    info,
    servers: [{ url: config.SERVICE_URL ?? '/' }],
    tags: [...features].map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: securitySchemes(mounted, config.AUTH_COOKIE),
      ...resolve(parts.components()),
      schemas: Object.fromEntries(schemas),
    },
  }
}

/** The security schemes: users and operators send a token of their own; Google's services send one of Google's. */
function securitySchemes(mounted: readonly Mounted[], cookie: string | undefined): Json {
  const google = 'https://accounts.google.com/.well-known/openid-configuration'
  const isForGoogle = mounted.some(({ operation }) => operation.route.security === 'invoker')
  return {
    ...(isForGoogle && { invoker: { type: 'openIdConnect', openIdConnectUrl: google } }),
    bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    ...(cookie && { cookie: { type: 'apiKey', in: 'cookie', name: cookie } }),
    ...Object.fromEntries(apiKeysOf(mounted).map((key) => [key.name, keyScheme(key)])),
  }
}

function keyScheme({ header, description }: ApiKey): Json {
  return { type: 'apiKey', in: 'header', name: header, ...(description && { description }) }
}
