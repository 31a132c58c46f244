import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono, type MiddlewareHandler } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { bearerAuth } from 'hono/bearer-auth'
import { bodyLimit } from 'hono/body-limit'
import { cache } from 'hono/cache'
import { compress } from 'hono/compress'
import { contextStorage, tryGetContext } from 'hono/context-storage'
import { cors } from 'hono/cors'
import { csrf } from 'hono/csrf'
import { etag } from 'hono/etag'
import { ipRestriction } from 'hono/ip-restriction'
import { languageDetector } from 'hono/language'
import { logger } from 'hono/logger'
import { methodOverride } from 'hono/method-override'
import { poweredBy } from 'hono/powered-by'
import { prettyJSON } from 'hono/pretty-json'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { timeout } from 'hono/timeout'
import { timing } from 'hono/timing'
import { trimTrailingSlash } from 'hono/trailing-slash'
import { defineRoute, handle, handlePlain, json, statusProblems, z } from '#runtime'

/** Hono's middleware, each below a name: as a route's own, and as app.ts mounts it. */
export const middlewares = (): Record<string, MiddlewareHandler> => ({
  basicAuth: basicAuth({ username: 'ada', password: 'lovelace' }),
  bearerAuth: bearerAuth({ token: 'secret' }),
  bodyLimit: bodyLimit({ maxSize: 10 }),
  cache: cache({ cacheName: 'lab', cacheControl: 'max-age=60', onCacheNotAvailable: false }),
  compress: compress(),
  contextStorage: contextStorage(),
  cors: cors({ origin: 'https://shop.example', exposeHeaders: ['X-A'] }),
  csrf: csrf({ origin: 'https://shop.example' }),
  etag: etag(),
  ipDenied: ipRestriction(getConnInfo as never, { denyList: ['127.0.0.1', '::1'] }),
  ipAllowed: ipRestriction(getConnInfo as never, { allowList: ['127.0.0.1', '::1'] }),
  languageDetector: languageDetector({ supportedLanguages: ['en', 'ja'], fallbackLanguage: 'en' }),
  logger: logger(),
  methodOverride: methodOverride({ app: new Hono() }),
  poweredBy: poweredBy(),
  prettyJSON: prettyJSON(),
  requestId: requestId(),
  secureHeaders: secureHeaders({ strictTransportSecurity: false }),
  timeout: timeout(1),
  timing: timing(),
  trimAlways: trimTrailingSlash({ alwaysRedirect: true }),
  trimTrailingSlash: trimTrailingSlash(),
})

const Seen = z.object({
  name: z.string(),
  language: z.string().nullable(),
  requestId: z.string(),
  stored: z.boolean(),
  text: z.string(),
})
const responses = {
  200: json('What the handler saw', Seen),
  304: { description: 'The caller has it' },
}
const problems = [statusProblems.UNAUTHORIZED, statusProblems.FORBIDDEN, statusProblems.GATEWAY_TIMEOUT]

function routesOf(name: string, path: string, middleware: MiddlewareHandler[]) {
  const shared = {
    path,
    summary: `Below ${name}`,
    security: 'public',
    responses,
    problems,
    middleware,
  } as const
  const get = defineRoute({
    ...shared,
    method: 'get',
    operationId: `get-${path.slice(1)}`,
    request: { query: z.strictObject({ pretty: z.string().optional(), lang: z.string().optional() }) },
  })
  const Form = z.strictObject({ a: z.string(), _method: z.string().optional() })
  const body = { required: true, content: { 'application/x-www-form-urlencoded': { schema: Form } } } as const
  const post = defineRoute({
    ...shared,
    method: 'post',
    operationId: `post-${path.slice(1)}`,
    request: { body },
  })
  const see = (c: { get(name: never): unknown }) => ({
    name,
    language: (c.get('language' as never) as string | undefined) ?? null,
    requestId: String(c.get('requestId' as never)),
    stored: tryGetContext() !== undefined,
    text: 'x'.repeat(2000),
  })
  return [
    handle(get, async (c) => {
      if (name === 'timeout')
        await new Promise<void>((resolve) => c.var.signal.addEventListener('abort', () => resolve()))
      return c.json(see(c as never), 200)
    }),
    handle(post, (c) => c.json({ ...see(c as never), text: c.req.valid('form').a }, 200)),
  ]
}

/** Routes below Hono's middleware: their own, and that of app.ts. */
export function middlewareRoutes() {
  return Object.entries(middlewares()).flatMap(([name, middleware]) => [
    ...routesOf(name, `/routed/${name}`, [middleware]),
    ...routesOf(name, `/mounted/${name}`, []),
    handlePlain({ method: 'get', path: `/mounted-plain/${name}`, security: 'public' }, (c) =>
      c.json({ name }),
    ),
  ])
}
