import compress from '@fastify/compress'
import jwt from '@fastify/jwt'
import fastify, { type FastifyError, type FastifyInstance, type FastifyRequest, LogController } from 'fastify'
import pg from 'pg'
import {
  browserHeaders,
  type Code,
  challengeOf,
  hsts,
  logFields,
  problem,
  requestIdOf,
  severityOf,
  traceOf,
} from '../common/duties.ts'
import { pool as poolOptions, settings } from '../common/settings.ts'
import {
  createTaskCall,
  fromCursor,
  newIds,
  type OrderRow,
  presentOrder,
  statements,
  toCursor,
} from '../common/statements.ts'
import { listSchema, newOrderSchema, orderSchema } from './schemas.ts'

// Fastify with the same duties as the service: one log line in Cloud Logging's fields, request id, trace, security headers by
// one hook (helmet takes longer), remembered tokens, input checked and output serialized by schemas, problems.

declare module '@fastify/jwt' {
  interface FastifyJWT {
    user: { sub: string; scope: string }
  }
}
declare module 'fastify' {
  interface FastifyRequest {
    trace: ReturnType<typeof traceOf>
  }
}

const pool = new pg.Pool(poolOptions)
const levels: Record<string, string> = { info: 'INFO', warn: 'WARNING', error: 'ERROR', fatal: 'CRITICAL' }
const app = fastify({
  logger: {
    level: 'info',
    base: null,
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ severity: levels[label] ?? 'DEFAULT' }) },
  },
  logController: new LogController({ disableRequestLogging: true }), // one line for each request, by the hook below
  genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
  bodyLimit: 1_100_000,
  keepAliveTimeout: 620_000,
  ajv: { customOptions: { removeAdditional: false } }, // unknown keys are refused
})

class Refusal extends Error {
  readonly code: Code
  constructor(code: Code, detail = '') {
    super(detail)
    this.code = code
  }
}

app.register(compress, { global: true, threshold: 1024, encodings: ['gzip'] })
app.register(jwt, {
  secret: settings.secret,
  // the key of the cache is the whole token, as in the service: a hash takes longer
  verify: {
    allowedIss: settings.issuer,
    allowedAud: settings.audience,
    algorithms: ['HS256'],
    requiredClaims: ['exp', 'sub'],
    cache: 10_000,
    cacheKeyBuilder: (token: string) => token,
    clockTolerance: 5_000,
  } as object,
})

app.decorateRequest('trace')
app.addHook('onRequest', (request, reply, done) => {
  request.trace = traceOf(request.headers.traceparent)
  reply.headers(browserHeaders).header('x-request-id', request.id)
  if (request.headers['x-forwarded-proto'] === 'https') reply.header('strict-transport-security', hsts)
  done()
})
app.addHook('onResponse', (request, reply, done) => {
  const { method, headers, trace, id: requestId, socket, user } = request
  const [path = ''] = request.url.split('?')
  const { statusCode: status, elapsedTime: ms } = reply
  const bytes = reply.getHeader('content-length') as string | undefined
  const subject = (user as { sub: string } | undefined)?.sub
  const address = socket.remoteAddress
  const fields = logFields({ method, path, status, ms, headers, address, bytes, trace, requestId, subject })
  const level = { INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const
  app.log[level[severityOf(status)]](fields, `${method} ${path} ${status}`)
  done()
})

app.setErrorHandler((error: FastifyError | Refusal, request, reply) => {
  const { code, detail, errors } = read(error)
  const [path = ''] = request.url.split('?')
  const body = problem(code, path, request.trace.traceId, detail, errors)
  const challenge = challengeOf(code)
  if (challenge) reply.header('www-authenticate', challenge)
  return reply
    .code(body.status)
    .headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    .send(JSON.stringify(body))
})

function read(error: FastifyError | Refusal): { code: Code; detail?: string; errors?: unknown[] } {
  if (error instanceof Refusal) return { code: error.code, detail: error.message }
  if (error.validation) {
    const place = error.validationContext ?? ''
    const errors = error.validation.map(({ message, instancePath }) => ({
      ...{ in: place, detail: message, pointer: `#${instancePath}` },
    }))
    return { code: 'VALIDATION_FAILED', detail: `The ${place} does not fit the contract.`, errors }
  }
  if (error.statusCode === 400) return { code: 'VALIDATION_FAILED', detail: error.message }
  return { code: 'INTERNAL' }
}

/** The check of the token and its scope, before the body is read. */
const allow = (scope: string) => async (request: FastifyRequest) => {
  if (!request.headers.authorization)
    throw new Refusal('TOKEN_MISSING', 'Send a token: Authorization: Bearer <token>.')
  try {
    await request.jwtVerify()
  } catch {
    throw new Refusal('TOKEN_INVALID', 'The token is malformed or not signed by a key of ours.')
  }
  if (!request.user.scope.split(' ').includes(scope))
    throw new Refusal('SCOPE_MISSING', `The token lacks: ${scope}.`)
}

async function routes(app: FastifyInstance): Promise<void> {
  const params = { type: 'object', properties: { id: { type: 'string', format: 'uuid' } }, required: ['id'] }

  app.get<{ Params: { id: string } }>(
    '/orders/:id',
    { onRequest: allow('orders:read'), schema: { params, response: { 200: orderSchema } } },
    async (request, reply) => {
      const values = [request.params.id, request.user.sub]
      const { rows } = await pool.query<OrderRow>({ name: 'find', text: statements.find, values })
      const [row] = rows
      if (!row) throw new Refusal('ORDER_NOT_FOUND')
      reply.header('etag', `"${row.version}"`)
      return presentOrder(row)
    },
  )

  app.get<{ Querystring: { limit: number; cursor?: string } }>(
    '/orders',
    { onRequest: allow('orders:read'), schema: listSchema },
    async (request) => {
      const { limit, cursor } = request.query
      const { sub } = request.user
      const { rows } = await pool.query<OrderRow>(
        cursor
          ? { name: 'list_after', text: statements.listAfter, values: [sub, limit + 1, fromCursor(cursor)] }
          : { name: 'list', text: statements.list, values: [sub, limit + 1] },
      )
      const items = rows.slice(0, limit).map(presentOrder)
      const last = items.at(-1)
      return { items, ...(rows.length > limit && last && { nextCursor: toCursor(last.id) }) }
    },
  )

  app.post<{ Body: { item: string; quantity: number } }>(
    '/orders',
    { onRequest: allow('orders:write'), schema: { body: newOrderSchema, response: { 201: orderSchema } } },
    async (request, reply) => {
      const { item, quantity } = request.body
      const { sub } = request.user
      const { orderId, taskId } = newIds()
      const client = await pool.connect()
      let row: OrderRow | undefined
      let dueAt = new Date()
      try {
        await client.query('begin')
        const values = [taskId, JSON.stringify({ orderId }), request.id, request.trace.traceId, sub, 'bench']
        const task = await client.query<{ due_at: Date }>({
          name: 'insert_task',
          text: statements.insertTask,
          values,
        })
        dueAt = task.rows[0]?.due_at ?? dueAt
        const order = [orderId, sub, item, quantity, taskId]
        const { rows } = await client.query<OrderRow>({
          name: 'insert_order',
          text: statements.insertOrder,
          values: order,
        })
        row = rows[0]
        await client.query('commit')
      } catch (error) {
        await client.query('rollback').catch(() => {})
        throw error
      } finally {
        client.release()
      }
      const { url, body } = createTaskCall(taskId, dueAt)
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      await response.arrayBuffer()
      if (!response.ok) throw new Error(`Cloud Tasks: ${response.status}`)
      await pool.query({ name: 'mark_queued', text: statements.markQueued, values: [taskId] })
      reply.code(201).headers({ location: `/orders/${orderId}`, etag: '"1"' })
      return presentOrder(row as OrderRow)
    },
  )
}

app.register(routes)
void app.listen({ port: settings.port, host: '::' })
process.on('SIGTERM', () => process.exit())
