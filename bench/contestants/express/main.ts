import { randomUUID } from 'node:crypto'
import compression from 'compression'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import helmet from 'helmet'
import { jwtVerify } from 'jose'
import pg from 'pg'
import { pinoHttp } from 'pino-http'
import { z } from 'zod'
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

// Express as its pages on production propose: NODE_ENV=production, helmet, compression, pino for the log; zod for input.

const pool = new pg.Pool(poolOptions)
const secret = new TextEncoder().encode(settings.secret)
const Params = z.object({ id: z.uuid() })
const Query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().length(22).optional(),
})
const NewOrder = z.strictObject({ item: z.string().min(1).max(100), quantity: z.int().min(1).max(1000) })

class HttpError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const allow =
  (scope: string): RequestHandler =>
  async (request, response, next) => {
    const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
    if (!token) throw new HttpError(401, 'A token is required')
    const { issuer, audience } = settings
    const { payload } = await jwtVerify(token, secret, { issuer, audience, algorithms: ['HS256'] }).catch(
      () => {
        throw new HttpError(401, 'The token is not valid')
      },
    )
    if (!String(payload.scope).split(' ').includes(scope)) throw new HttpError(403, 'The token lacks a scope')
    response.locals.subject = payload.sub
    next()
  }

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const { success, data, error } = schema.safeParse(value)
  if (!success) throw new HttpError(400, z.prettifyError(error))
  return data
}

const app = express()
app.set('trust proxy', 1)
app.use(
  pinoHttp({
    genReqId(request, response) {
      const given = request.headers['x-request-id']
      const id = typeof given === 'string' ? given : randomUUID()
      response.setHeader('x-request-id', id)
      return id
    },
  }),
)
app.use(helmet())
app.use(compression())

app.get('/orders/:id', allow('orders:read'), async (request, response) => {
  const { id } = parse(Params, request.params)
  const { rows } = await pool.query<OrderRow>(statements.find, [id, response.locals.subject])
  const [row] = rows
  if (!row) throw new HttpError(404, 'There is no such order')
  response.set('etag', `"${row.version}"`).json(presentOrder(row))
})

app.get('/orders', allow('orders:read'), async (request, response) => {
  const { limit, cursor } = parse(Query, request.query)
  const { subject } = response.locals
  const { rows } = cursor
    ? await pool.query<OrderRow>(statements.listAfter, [subject, limit + 1, fromCursor(cursor)])
    : await pool.query<OrderRow>(statements.list, [subject, limit + 1])
  const items = rows.slice(0, limit).map(presentOrder)
  const last = items.at(-1)
  response.json({ items, ...(rows.length > limit && last && { nextCursor: toCursor(last.id) }) })
})

app.post('/orders', allow('orders:write'), express.json({ limit: '1mb' }), async (request, response) => {
  const { item, quantity } = parse(NewOrder, request.body)
  const { subject } = response.locals
  const { orderId, taskId } = newIds()
  const client = await pool.connect()
  let row: OrderRow | undefined
  let dueAt = new Date()
  try {
    await client.query('begin')
    const values = [taskId, JSON.stringify({ orderId }), request.id, null, subject, 'bench']
    const task = await client.query<{ due_at: Date }>(statements.insertTask, values)
    dueAt = task.rows[0]?.due_at ?? dueAt
    const order = [orderId, subject, item, quantity, taskId]
    row = (await client.query<OrderRow>(statements.insertOrder, order)).rows[0]
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  } finally {
    client.release()
  }
  const { url, body } = createTaskCall(taskId, dueAt)
  const called = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  await called.arrayBuffer()
  if (!called.ok) throw new Error(`Cloud Tasks: ${called.status}`)
  await pool.query(statements.markQueued, [taskId])
  response
    .status(201)
    .set({ location: `/orders/${orderId}`, etag: '"1"' })
    .json(presentOrder(row as OrderRow))
})

const onError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error)
  const status = error.status ?? 500
  if (status === 401) response.set('www-authenticate', 'Bearer')
  response.status(status).json({ status, title: status < 500 ? error.message : 'Something went wrong' })
}
app.use(onError)

app.listen(settings.port)
process.on('SIGTERM', () => process.exit())
