import { z } from '@hono/zod-openapi'
import type { Version as BuildVersion } from '../config/version.ts'
import { checkReadiness, type ReadinessChecks } from '../http/readiness.ts'
import { problems } from '../kernel/problem.ts'
import { contractFile } from './contract-file.ts'
import { defineRoute, handle, json } from './route.ts'
import { defineRouteGroup, type RouteGroup } from './route-group.ts'

const Ping = z.object({ status: z.literal('ok') }).openapi('RuntimePing', { example: { status: 'ok' } })

const Version = z
  .object({
    service: z.string(),
    revision: z.string(),
    version: z.string(),
    commit: z.string(),
    environment: z.enum(['development', 'staging', 'live']),
  })
  .openapi('RuntimeVersion', {
    example: {
      service: 'my-service',
      revision: 'my-service-00042-abc',
      version: '1.4.0',
      commit: '4b825dc6',
      environment: 'live',
    },
  })

const Ready = z
  .object({ status: z.literal('ok'), checks: z.record(z.string(), z.literal('ok')) })
  .openapi('RuntimeReady', { example: { status: 'ok', checks: { database: 'ok' } } })

const ping = defineRoute({
  method: 'get',
  path: '/ping',
  operationId: 'runtimePing',
  summary: 'Check that the process is alive',
  security: 'public',
  responses: { 200: json('Alive', Ping) },
})

const version = defineRoute({
  method: 'get',
  path: '/version',
  operationId: 'runtimeGetVersion',
  summary: 'Show which build is running',
  security: 'public',
  responses: { 200: json('The build that is running', Version) },
})

const authVersion = defineRoute({
  method: 'get',
  path: '/auth/version',
  operationId: 'runtimeGetVersionAuthenticated',
  summary: 'Check a token, and show which build is running',
  security: 'authenticated',
  responses: { 200: json('The token is valid', Version) },
})

const ready = defineRoute({
  method: 'get',
  path: '/ready',
  operationId: 'runtimeGetReadiness',
  summary: 'Check whether the service is ready for requests',
  security: 'public',
  responses: { 200: json('The service is ready', Ready) },
  problems: [problems.NOT_READY],
})

const contract = defineRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'runtimeGetContract',
  summary: 'Show this contract',
  security: 'public',
  request: { headers: z.object({ 'if-none-match': z.string().optional() }) },
  responses: {
    200: {
      description: 'OpenAPI 3.1',
      headers: z.object({ ETag: z.string().openapi({ description: 'The entity tag of the contract' }) }),
      // without a zod schema: the bytes are sent as they are
      content: { 'application/json': { schema: { type: 'object' }, example: { openapi: '3.1.0' } } },
    },
    304: { description: 'The contract still has the version in If-None-Match' },
  },
})

/**
 * The routes that every service has: liveness, readiness, version, contract.
 *
 * @param options.readiness returns the checks. It is called at each request to `/ready`
 * @param options.contract builds the contract, at the first request
 * @example
 * const system = systemFeature({
 *   version: describeVersion(config),
 *   readiness: () => ({ database: () => pingDatabase(database) }),
 *   contract: async () => ({ openapi: '3.1.0' }),
 * })
 */
export function systemFeature(options: {
  version: BuildVersion
  readiness: () => ReadinessChecks
  contract: () => Promise<object>
}): RouteGroup {
  const { readiness } = options
  return defineRouteGroup({
    name: 'runtime',
    description: 'The routes that every service has.',
    routes: () => [
      handle(ping, (c) => c.json({ status: 'ok' as const }, 200)),
      handle(version, (c) => c.json(options.version, 200)),
      handle(authVersion, (c) => c.json(options.version, 200)),
      handle(ready, async (c) => {
        const checks = await checkReadiness(readiness(), c.var.signal)
        return c.json({ status: 'ok' as const, checks }, 200)
      }),
      handle(contract, contractFile(options.contract)),
    ],
  })
}
